import { setTimeout as pause } from 'node:timers/promises';
import type { SealingDeps } from './seal-tenant.ts';
import { sealTenant } from './seal-tenant.ts';
import { SealingProblem } from './sealing-problem.ts';

export interface Sealer extends AsyncDisposable {
  /** Seals what is there now, of every tenant; answers how many events. */
  runOnce(): Promise<number>;
  /** Tenants whose log may not be continued, with the reason. */
  problems(): ReadonlyMap<string, string>;
}

const MAX_BACKOFF_MS = 5_000;

/**
 * Seals new events of all tenants, again and again. Any number of replicas may run it: the lock on a tenant's tree lets
 * one at a time through. Tenants of `problems` are left alone, and those that turn out to be broken join them.
 */
export function startSealer(
  deps: SealingDeps & { readonly intervalMs: number },
  known: ReadonlyMap<string, string>,
): Sealer {
  const problems = new Map(known);
  const stop = new AbortController();
  let failures = 0;

  const sealAll = async (tenantId: string): Promise<number> => {
    let total = 0;
    try {
      for (;;) {
        const sealed = await sealTenant(deps, tenantId);
        total += sealed;
        if (sealed < deps.batchSize || stop.signal.aborted) return total;
      }
    } catch (error) {
      if (!(error instanceof SealingProblem)) throw error;
      problems.set(tenantId, error.message);
      deps.logger.error(
        { tenantId, problem: error.message },
        'the audit log of a tenant is not the one that was signed: it is not continued until an operator has looked at it',
      );
      return total;
    }
  };

  const runOnce = async (): Promise<number> => {
    const tenants = await deps.database.system((tx) =>
      tx
        .selectFrom('events')
        .select('tenant_id')
        .distinct()
        .where('sequence', 'is', null)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('quarantined_events')
                .select('quarantined_events.event_id')
                .whereRef('quarantined_events.tenant_id', '=', 'events.tenant_id')
                .whereRef('quarantined_events.event_id', '=', 'events.event_id'),
            ),
          ),
        )
        .execute(),
    );
    let total = 0;
    const errors: unknown[] = [];
    for (const { tenant_id } of tenants) {
      if (stop.signal.aborted) break;
      if (problems.has(tenant_id)) continue;
      // What fails for one tenant must not keep the others waiting.
      total += await sealAll(tenant_id).catch((error: unknown) => {
        errors.push(error);
        return 0;
      });
    }
    if (errors.length > 0) throw errors[0];
    return total;
  };

  const loop = (async () => {
    while (!stop.signal.aborted) {
      try {
        await runOnce();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1 || failures % 20 === 0)
          deps.logger.warn(
            { err: error, failures },
            'events could not be sealed; they wait, and it tries again',
          );
      }
      // Jitter keeps replicas from running in step.
      const waitMs = Math.min(deps.intervalMs * 2 ** Math.min(failures, 10), MAX_BACKOFF_MS);
      await pause(waitMs * (0.8 + jitter() * 0.2), undefined, { signal: stop.signal }).catch(() => {});
    }
  })();

  return {
    runOnce,
    problems: () => problems,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await loop;
    },
  };
}

/** From 0 to 1, from the clock: nothing depends on it being unpredictable. */
function jitter(): number {
  return (performance.now() * 1_000) % 1;
}
