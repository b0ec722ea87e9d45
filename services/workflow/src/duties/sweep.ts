import { randomInt } from 'node:crypto';
import { isClavigerError } from '@claviger/errors';
import type { WorkflowDeps } from '../deps.ts';
import { type Due, lapsedGrants, lapsedRequests, unsyncedGrants } from './due.ts';
import { expireGrants } from './expire-grants.ts';
import { expireRequests } from './expire-requests.ts';
import { syncGrants } from './sync-grants.ts';

export interface Sweep extends AsyncDisposable {
  /** One round, now: what has lapsed is written down, then the vault is told what is due. */
  runOnce(): Promise<void>;
}

/**
 * Runs in every replica: each step is a conditional update, so that two replicas never do the same thing twice. The
 * columns are the queue; nothing is remembered in the process.
 */
export function startSweep(deps: WorkflowDeps, intervalMs: number): Sweep {
  let stopping = false;
  let failures = 0;
  let wake: (() => void) | undefined;

  const loop = (async () => {
    while (!stopping) {
      // Replicas started together drift apart.
      const jitter = 0.75 + randomInt(500) / 1_000;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs * jitter);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (stopping) return;
      try {
        await runRound(deps);
        if (failures > 0) deps.logger.info({ after: failures }, 'the sweep works again');
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1 || failures % 60 === 0)
          deps.logger.warn({ err: error, failures }, 'the sweep failed; nothing is lost, it runs again');
      }
    }
  })();

  return {
    runOnce: () => runRound(deps),
    [Symbol.asyncDispose]: async () => {
      stopping = true;
      wake?.();
      await loop;
    },
  };
}

/** What fails in one step holds up no other: it is thrown when all had their turn. */
async function runRound(deps: WorkflowDeps): Promise<void> {
  const { database } = deps;
  const steps = [
    async () =>
      perTenant(await lapsedRequests(database), (tenantId, ids) =>
        database.withTenant(tenantId, (tx) =>
          expireRequests(deps, tx, (query) => query.where('id', 'in', ids)),
        ),
      ),
    async () =>
      perTenant(await lapsedGrants(database), (tenantId, ids) =>
        database.withTenant(tenantId, (tx) => expireGrants(deps, tx, ids)),
      ),
    async () => void (await syncGrants(deps, await unsyncedGrants(database))),
  ];
  await eachInTurn(steps, (step) => step());
}

/** One tenant's trouble does not hold up the others, nor one row's the rest of its tenant. */
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
      if (ids.length === 1 || (isClavigerError(error) && error.reason === 'unavailable')) throw error;
      await eachInTurn(ids, (id) => work(tenantId, [id]));
    }
  });
}

/** Throws the first failure when all had their turn. */
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
