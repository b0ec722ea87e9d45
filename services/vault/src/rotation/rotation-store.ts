import { rowMapper } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { UNIFORM_PROBLEM } from '@claviger/outbound';
import type { CallContext } from '@claviger/service-kit';
import type { Selectable } from 'kysely';
import type { VaultSchema } from '../schema.ts';
import { isReachabilityProblem, maySeeReachability, UNIFORM_HINT } from '../targets/target-answer.ts';

export type RotationRow = Selectable<VaultSchema['rotations']>;

/**
 * States in which a problem without a kind concerns the connection to the target. Such a problem is not
 * visible to every actor.
 */
const UNFINISHED_STATES: readonly RotationRow['state'][] = ['pending', 'applying', 'ambiguous'];

const mapRotation = rowMapper<vault.Rotation>('claviger.vault.v1.Rotation');

export function toRotation(row: RotationRow, context: Pick<CallContext, 'actor'>): vault.Rotation {
  const isReachability =
    row.problem_kind === '' || row.problem_kind === 'policy'
      ? UNFINISHED_STATES.includes(row.state)
      : isReachabilityProblem(row.problem_kind);
  const hides = row.problem !== '' && isReachability && !maySeeReachability(context);
  return mapRotation({
    ...row,
    problem: hides ? UNIFORM_PROBLEM : row.problem,
    problem_kind: hides ? '' : row.problem_kind,
    hint: hides ? UNIFORM_HINT : row.hint,
  });
}
