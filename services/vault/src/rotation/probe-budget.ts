import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { VaultDeps } from '../deps.ts';

/**
 * A login with a secret that may be wrong can lock the account, so that each is counted before it is tried. Answers undefined
 * when it may be tried, else when the next one may.
 */
export function takeProbe(deps: VaultDeps, tenantId: string, entryId: string): Promise<Date | undefined> {
  const { probesPerWindow, probeWindowSeconds } = deps.config.rotation;
  const window = sql`make_interval(secs => ${probeWindowSeconds})`;
  const isOver = sql<boolean>`(probe_window_at IS NULL OR probe_window_at <= now() - ${window})`;
  return deps.database.withTenant(tenantId, async (tx) => {
    const taken = await tx
      .updateTable('entries')
      .set({
        probes: sql<number>`CASE WHEN ${isOver} THEN 1 ELSE probes + 1 END`,
        probe_window_at: sql<Date>`CASE WHEN ${isOver} THEN now() ELSE probe_window_at END`,
      })
      .where('id', '=', entryId)
      .where(sql<boolean>`(${isOver} OR probes < ${probesPerWindow})`)
      .returning('id')
      .executeTakeFirst();
    if (taken) return undefined;
    const { at } = await tx
      .selectFrom('entries')
      .select(sql<Date>`coalesce(probe_window_at, now()) + ${window}`.as('at'))
      .where('id', '=', entryId)
      .executeTakeFirstOrThrow();
    return at;
  });
}

/** The target did not refuse: it has nothing to count. */
export async function giveProbeBack(deps: VaultDeps, tenantId: string, entryId: string): Promise<void> {
  await deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('entries')
      .set({ probes: sql<number>`greatest(probes - 1, 0)` })
      .where('id', '=', entryId)
      .execute(),
  );
}

/** Counts a login that a person asked for. Throws conflict `probe_budget_spent` when it could lock the account. */
export async function spendProbe(deps: VaultDeps, tenantId: string, entryId: string): Promise<void> {
  const nextAt = await takeProbe(deps, tenantId, entryId);
  if (!nextAt) return;
  throw new ClavigerError('conflict', 'Another login that fails could lock the account on the target.', {
    code: 'probe_budget_spent',
    hint: `Try again after ${nextAt.toISOString()}.`,
    retryAfterSeconds: Math.max(1, Math.ceil((nextAt.getTime() - Date.now()) / 1_000)),
  });
}
