import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import type { TenantsDeps } from './deps.ts';

const CALL_TIMEOUT_MS = 3_000;
const INTERVAL_MS = 2_000;
const MAX_BACKOFF_SECONDS = 60;
const BATCH = 100;

type Deps = Pick<TenantsDeps, 'database' | 'logger' | 'tenantPeers'>;

/**
 * Sends the current status of the tenant to every store that has not confirmed it. The duty repeats failed
 * deliveries, so this throws only if auth's own database fails.
 */
export async function deliverTenantStatus(
  deps: Deps,
  tenantId: string,
  leadership?: Pick<Leadership, 'assert'>,
): Promise<void> {
  const { tenant, due } = await deps.database.withTenant(tenantId, async (tx) => ({
    tenant: await tx
      .selectFrom('tenants')
      .select(['status', 'version', 'status_changed_by'])
      .where('id', '=', tenantId)
      .executeTakeFirstOrThrow(),
    due: await tx
      .selectFrom('standing_deliveries')
      .select('service')
      .whereRef('applied_version', '<', 'wanted_version')
      .execute(),
  }));
  const services = new Set(due.map((row) => row.service));
  await Promise.all(
    deps.tenantPeers.stores
      .filter((store) => services.has(store.service))
      .map(async ({ service, client }) => {
        const applied = await client
          .apply(
            { status: tenant.status, version: tenant.version, changedBy: tenant.status_changed_by },
            { tenantId, timeoutMs: CALL_TIMEOUT_MS },
          )
          .then(
            () => true,
            (error: unknown) => {
              deps.logger.warn(
                { err: error, tenantId, service, version: tenant.version },
                'a service did not confirm the status of a tenant; the delivery is repeated',
              );
              return false;
            },
          );
        await note(deps, tenantId, service, applied ? tenant.version : undefined, leadership);
      }),
  );
}

async function note(
  deps: Deps,
  tenantId: string,
  service: string,
  appliedVersion: number | undefined,
  leadership: Pick<Leadership, 'assert'> | undefined,
): Promise<void> {
  await deps.database.withTenant(tenantId, async (tx) => {
    await leadership?.assert(tx);
    await tx
      .updateTable('standing_deliveries')
      .set(
        appliedVersion === undefined
          ? {
              attempts: sql<number>`attempts + 1`,
              next_try_at: sql<Date>`now() + make_interval(secs => least(power(2, least(attempts, 10)), ${MAX_BACKOFF_SECONDS}))`,
            }
          : { attempts: 0, applied_version: sql<number>`greatest(applied_version, ${appliedVersion})` },
      )
      .where('service', '=', service)
      .execute();
  });
}

/** Repeats deliveries that a store has not confirmed. */
export function startTenantStatusDeliveries(deps: Deps, cluster: DutyHost): Duty {
  return startDuty({
    cluster,
    name: 'tenant status',
    everyMs: INTERVAL_MS,
    run: (leadership) => deliverDueStatuses(deps, leadership),
  });
}

export async function deliverDueStatuses(deps: Deps, leadership: Leadership): Promise<void> {
  const due = await deps.database.systemQuery((reader) =>
    reader
      .selectFrom('standing_deliveries')
      .select('tenant_id')
      .where(sql<boolean>`applied_version < wanted_version`)
      .where('next_try_at', '<=', sql<Date>`now()`)
      .orderBy('next_try_at')
      .limit(BATCH)
      .compile(),
  );
  for (const tenantId of new Set(due.map((row) => row.tenant_id))) {
    if (leadership.signal.aborted) return;
    await deliverTenantStatus(deps, tenantId, leadership);
  }
}
