import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { ofActiveTenant, requireActiveTenant } from '@claviger/database';
import { type Due, dueTargets, syncCursors } from './cursors.ts';
import type { SiemDeps } from './deps.ts';
import { forward, isLeadershipLost } from './forward.ts';

/** Sequenced events wake the duty; this finds retries that are due. */
const EVERY_MS = 2_000;
/** Time for which settings are read after a tenant's log has grown: longer than a reader caches them. */
const LOOK_FOR_MS = 15_000;
/** Number of tenants whose settings are read in parallel. */
const AT_ONCE = 8;
/** Maximum number of parallel runs. Failing destinations have few, so that they do not block healthy ones. */
const PLACES = { healthy: 12, failing: 4 };

export interface Forwarding extends AsyncDisposable {
  /** Forwards new events soon. No effect unless this replica leads. */
  wake(): void;
}

interface Tenant {
  size: number;
  /** Monotonic. */
  lookUntilMs: number;
  version: string | undefined;
}

/**
 * Forwards sequenced events to all destinations of all tenants, on the leader. Destinations do not wait for
 * each other.
 */
export function startForwarding(deps: SiemDeps & { readonly cluster: DutyHost }): Forwarding {
  const { database, settings, logger } = deps;
  const stop = new AbortController();
  const running = new Map<string, { readonly failing: boolean; readonly done: Promise<void> }>();
  const tenants = new Map<string, Tenant>();
  let knownTerm: number | undefined;
  let failing = false;

  /**
   * Updates the cursors from the settings. A change of settings is itself an event, so only tenants whose log
   * has grown are read.
   */
  const syncTargets = async (leadership: Leadership): Promise<void> => {
    if (leadership.term !== knownTerm) tenants.clear();
    knownTerm = leadership.term;
    const trees = await database.acrossTenants((tx) =>
      tx.selectFrom('trees').select(['tenant_id', 'size']).where(ofActiveTenant('trees.tenant_id')).execute(),
    );
    const grown = trees.flatMap(({ tenant_id: tenantId, size }) => {
      const known = tenants.get(tenantId) ?? { size: -1, lookUntilMs: 0, version: undefined };
      tenants.set(tenantId, known);
      if (known.size !== size) known.lookUntilMs = performance.now() + LOOK_FOR_MS;
      known.size = size;
      return performance.now() > known.lookUntilMs ? [] : [{ tenantId, known }];
    });
    const problems: unknown[] = [];
    for (let first = 0; first < grown.length; first += AT_ONCE) {
      if (leadership.signal.aborted || stop.signal.aborted) return;
      const some = grown.slice(first, first + AT_ONCE);
      const results = await Promise.allSettled(
        some.map(({ tenantId, known }) => syncTenant(leadership, tenantId, known)),
      );
      for (const result of results) if (result.status === 'rejected') problems.push(result.reason);
    }
    if (problems.length > 0 && !failing)
      logger.warn(
        { err: problems[0], tenants: problems.length },
        'the SIEM destinations of some tenants could not be read; the last known ones stay in use',
      );
    failing = problems.length > 0;
  };

  const syncTenant = async (leadership: Leadership, tenantId: string, known: Tenant): Promise<void> => {
    const { version, values } = await settings.read(tenantId);
    if (version === known.version) return;
    await database.withTenant(tenantId, async (tx) => {
      await requireActiveTenant(tx);
      await syncCursors(tx, leadership, tenantId, values.siem.targets);
    });
    known.version = version;
  };

  const start = (due: Due, leadership: Leadership): void => {
    const key = `${due.tenantId} ${due.target}`;
    if (running.has(key)) return;
    const signal = AbortSignal.any([leadership.signal, stop.signal]);
    const bound = { assert: leadership.assert.bind(leadership), signal };
    const done = forward(deps, bound, due)
      .catch((error: unknown) => {
        if (isLeadershipLost(error) || signal.aborted) return;
        logger.warn(
          { err: error, tenantId: due.tenantId, target: due.target },
          'events could not be sent to a SIEM destination; they are retried',
        );
      })
      .finally(() => {
        running.delete(key);
        if (!signal.aborted) duty.wake();
      });
    running.set(key, { failing: due.failing, done });
  };

  const duty: Duty = startDuty({
    cluster: deps.cluster,
    name: 'siem forwarding',
    everyMs: EVERY_MS,
    run: async (leadership) => {
      await syncTargets(leadership);
      for (const due of await dueTargets(deps)) {
        const places = due.failing ? PLACES.failing : PLACES.healthy;
        const taken = [...running.values()].filter(({ failing }) => failing === due.failing).length;
        if (taken < places && !stop.signal.aborted) start(due, leadership);
      }
    },
    lag: async () => {
      const due = await dueTargets(deps);
      return { waiting: due.length, oldestMs: 0 };
    },
  });

  return {
    wake: duty.wake,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await duty[Symbol.asyncDispose]();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
