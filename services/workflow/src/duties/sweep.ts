import { type Duty, type DutyHost, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import { anyOf } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import { expireElevations, lapsedElevations } from '../elevation/expire-elevations.ts';
import type { DutiesDeps } from './deps.ts';
import { type Due, isAnythingDue, lapsedGrants, lapsedRequests, sweepLag, unsyncedGrants } from './due.ts';
import { expireGrants } from './expire-grants.ts';
import { expireRequests } from './expire-requests.ts';
import { syncGrants } from './sync-grants.ts';

/**
 * Expires due rows and sends due changes to the vault, repeatedly, on the leader. The queue is in the
 * columns; the process keeps no state.
 */
export function startSweep(deps: DutiesDeps, cluster: DutyHost, intervalMs: number): Duty {
  return startDuty({
    cluster,
    name: 'request and grant sweep',
    everyMs: intervalMs,
    run: async (leadership) => {
      if (await isAnythingDue(deps.database)) await runSweep(deps, leadership);
    },
    lag: () => sweepLag(deps.database),
  });
}

/** One round. A failed step does not stop the others; the first failure is thrown at the end. */
export async function runSweep(deps: DutiesDeps, leadership: Leadership): Promise<void> {
  const { database } = deps;
  const steps = [
    async () =>
      perTenant(await lapsedRequests(database), (tenantId, ids) =>
        database.withTenant(tenantId, async (tx) => {
          await leadership.assert(tx);
          return expireRequests(deps, tx, (query) => query.where('id', '=', anyOf(ids, 'uuid')));
        }),
      ),
    async () =>
      perTenant(await lapsedGrants(database), (tenantId, ids) =>
        database.withTenant(tenantId, async (tx) => {
          await leadership.assert(tx);
          return expireGrants(deps, tx, ids);
        }),
      ),
    async () =>
      perTenant(await lapsedElevations(database), (tenantId, ids) =>
        database.withTenant(tenantId, async (tx) => {
          await leadership.assert(tx);
          return expireElevations(deps, tx, ids);
        }),
      ),
    async () => void (await syncGrants(deps, await unsyncedGrants(database), leadership)),
  ];
  await eachInTurn(steps, (step) => step());
}

/**
 * Works tenant by tenant. A failure of one tenant does not stop the others, nor a failed row the rest of its
 * tenant.
 */
function perTenant(
  due: readonly Due[],
  work: (tenantId: string, ids: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const groups = [...Map.groupBy(due, (each) => each.tenantId)];
  return eachInTurn(groups, async ([tenantId, group]) => {
    const ids = group.map((each) => each.id);
    try {
      await work(tenantId, ids);
    } catch (error) {
      if (
        ids.length === 1 ||
        error instanceof LeadershipLost ||
        (isClavigerError(error) && error.reason === 'unavailable')
      )
        throw error;
      await eachInTurn(ids, (id) => work(tenantId, [id]));
    }
  });
}

/** Throws the first failure after all items have been tried. */
async function eachInTurn<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
