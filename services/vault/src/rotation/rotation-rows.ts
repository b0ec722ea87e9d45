import type * as vault from '@claviger/contracts/vault/v1/vault';
import { UNIFORM_PROBLEM } from '@claviger/outbound';
import type { CallContext } from '@claviger/service-kit';
import type { Selectable } from 'kysely';
import { time } from '../ids.ts';
import type { VaultSchema } from '../schema.ts';
import { isOfTheWay, seesTheWay, UNIFORM_HINT } from '../targets/target-answer.ts';

export type RotationRow = Selectable<VaultSchema['rotations']>;

/** Before a rotation is over, a problem of no sort is that of the way to the target, which not everybody may see. */
const ON_THE_WAY: readonly RotationRow['state'][] = ['pending', 'applying', 'ambiguous'];

export function toRotation(row: RotationRow, context: Pick<CallContext, 'actor'>): vault.Rotation {
  const ofTheWay =
    row.problem_kind === '' || row.problem_kind === 'policy'
      ? ON_THE_WAY.includes(row.state)
      : isOfTheWay(row.problem_kind);
  const hides = row.problem !== '' && ofTheWay && !seesTheWay(context);
  return {
    id: row.id,
    entryId: row.entry_id,
    state: row.state,
    version: row.version,
    trigger: row.trigger,
    attempts: row.attempts,
    problem: hides ? UNIFORM_PROBLEM : row.problem,
    problemKind: hides ? '' : row.problem_kind,
    hint: hides ? UNIFORM_HINT : row.hint,
    secretLost: row.secret_lost,
    firstLogin: row.first_login,
    requestedAt: time(row.requested_at),
    finishedAt: time(row.finished_at),
    nextAttemptAt: time(row.next_attempt_at),
  };
}
