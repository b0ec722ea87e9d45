import { randomUUID } from 'node:crypto';
import { isActiveTenant } from '@claviger/database';
import { sql } from 'kysely';
import type { RotationDeps } from './deps.ts';
import type { RotationRow } from './rotation-store.ts';

/** Another worker has taken the rotation over: whatever this one learned, it writes nothing any more. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

export interface Lease extends Disposable {
  readonly tenantId: string;
  readonly rotationId: string;
  readonly owner: string;
  /**
   * For how many milliseconds it surely is still this worker's, 0 when that is over. By a clock that goes on
   * while the process stands still: nobody can take it over before. Asked before what no database can undo.
   */
  heldForMs(): number;
}

/**
 * Takes a rotation that is due and that nobody works on; undefined otherwise. One conditional update by the
 * database's clock decides; the lease is renewed until it is disposed.
 */
export async function takeLease(
  deps: RotationDeps,
  tenantId: string,
  rotationId: string,
): Promise<{ lease: Lease; rotation: RotationRow; appliedSecondsAgo: number } | undefined> {
  const owner = randomUUID();
  const { leaseSeconds } = deps.config.rotation;
  const leaseMs = leaseSeconds * 1_000;
  const askedAtMs = performance.now();
  const until = sql<Date>`clock_timestamp() + make_interval(secs => ${leaseSeconds})`;
  const taken = await deps.database.withTenant(tenantId, async (tx) => {
    // Nothing is begun for a suspended tenant, whatever is still queued for it.
    if (!(await isActiveTenant(tx))) return undefined;
    return tx
      .updateTable('rotations')
      .set({ lease_owner: owner, lease_until: until })
      .where('id', '=', rotationId)
      .where('finished_at', 'is', null)
      .where('next_attempt_at', '<=', sql<Date>`clock_timestamp()`)
      .where((eb) =>
        eb.or([eb('lease_until', 'is', null), eb('lease_until', '<', sql<Date>`clock_timestamp()`)]),
      )
      .returningAll()
      .returning(
        sql<number>`coalesce(extract(epoch FROM clock_timestamp() - applied_at), 0)::float8`.as('ago'),
      )
      .executeTakeFirst();
  });
  if (!taken) return undefined;
  const { ago, ...rotation } = taken;
  let heldUntilMs = askedAtMs + leaseMs;
  const renew = async (): Promise<void> => {
    const askedAtMs = performance.now();
    const renewed = await deps.database.withTenant(tenantId, (tx) =>
      tx
        .updateTable('rotations')
        .set({ lease_until: until })
        .where('id', '=', rotationId)
        .where('lease_owner', '=', owner)
        .executeTakeFirst(),
    );
    heldUntilMs = renewed.numUpdatedRows === 1n ? askedAtMs + leaseMs : 0;
  };
  const timer = setInterval(() => {
    renew().catch((error: unknown) =>
      deps.logger.warn({ err: error, rotationId }, 'the lease of a rotation was not renewed'),
    );
  }, leaseMs / 3);
  return {
    rotation,
    appliedSecondsAgo: ago,
    lease: {
      tenantId,
      rotationId,
      owner,
      heldForMs: () => Math.max(0, heldUntilMs - performance.now()),
      [Symbol.dispose]: () => clearInterval(timer),
    },
  };
}
