import { randomUUID } from 'node:crypto';
import { isActiveTenant } from '@claviger/database';
import { sql } from 'kysely';
import type { RotationDeps } from './deps.ts';
import type { RotationRow } from './rotation-store.ts';

/** Another worker holds the rotation. This one must not write any more. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

export interface Lease extends Disposable {
  readonly tenantId: string;
  readonly rotationId: string;
  readonly owner: string;
  /**
   * Milliseconds for which the lease is certainly held, 0 after its end. Uses a clock that continues while
   * the process is suspended. Check it before a change on the target, which cannot be rolled back.
   */
  heldForMs(): number;
}

/**
 * Takes the lease of a due rotation; undefined if it is not due or another worker holds it. One conditional
 * update by the database's clock decides. The lease is renewed until it is disposed.
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
    // A rotation of a suspended tenant does not start, even if it is queued.
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
      deps.logger.warn({ err: error, rotationId }, 'the lease of a rotation could not be renewed'),
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
