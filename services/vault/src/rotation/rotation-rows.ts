import type { vault } from '@claviger/contracts';
import type { Selectable } from 'kysely';
import { time } from '../ids.ts';
import type { VaultSchema } from '../schema.ts';

export type RotationRow = Selectable<VaultSchema['rotations']>;

export function toRotation(row: RotationRow): vault.Rotation {
  return {
    id: row.id,
    entryId: row.entry_id,
    state: row.state,
    version: row.version,
    trigger: row.trigger,
    attempts: row.attempts,
    problem: row.problem,
    requestedAt: time(row.requested_at),
    finishedAt: time(row.finished_at),
    nextAttemptAt: time(row.next_attempt_at),
  };
}
