import type * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import {
  applyTenantStatus,
  type Database,
  type Reader,
  type TenantStatus,
  type TenantStatusSchema,
  type Tx,
} from '@claviger/database';
import type { Handlers, Logger } from '@claviger/service-kit';

/** What a store holds for a tenant: numbers by name; sizes are in bytes. */
export interface TenantMeasures {
  readonly measures: Readonly<Record<string, number>>;
  readonly lastActivityAt?: Date | null | undefined;
}

/** A change of a tenant's status in this store. */
export interface AppliedTenantStatus {
  readonly tenantId: string;
  readonly before: TenantStatus;
  readonly status: TenantStatus;
  /** User who made the change; empty for a duty. */
  readonly changedBy: string;
}

export interface TenantStatusOptions<DB extends TenantStatusSchema> {
  readonly database: Database<DB>;
  /** Ends access that must not outlive the change, in its transaction. */
  readonly onChange?: (tx: Tx<DB>, applied: AppliedTenantStatus) => Promise<void>;
  /** Runs after the commit. Errors are logged, and the change remains. */
  readonly afterChange?: (applied: AppliedTenantStatus) => Promise<void>;
  readonly logger?: Pick<Logger, 'warn'>;
  readonly describe?: (reader: Reader<DB>) => Promise<TenantMeasures>;
}

/** The handlers of `TenantStatusService` for a store with the table `tenant_standings`. */
export function tenantStatusHandlers<DB extends TenantStatusSchema>(
  options: TenantStatusOptions<DB>,
): Handlers<typeof tenantStatus.TenantStatusService> {
  const { database } = options;
  return {
    apply: async (request, context) => {
      const { tenantId } = context;
      const status = request.status as TenantStatus;
      const { changedBy } = request;
      const applied = await database.withTenant(tenantId, async (tx) => {
        const change = await applyTenantStatus(tx, tenantId, { status, version: request.version });
        if (!change.changed) return undefined;
        const result = { tenantId, before: change.before, status, changedBy };
        await options.onChange?.(tx, result);
        return result;
      });
      if (applied) {
        await options.afterChange?.(applied).catch((error: unknown) => {
          options.logger?.warn(
            { err: error, tenantId },
            'the work after a change of the tenant status failed',
          );
        });
      }
      return { changed: applied !== undefined };
    },
    describe: (_, context) =>
      database.readTenant(context.tenantId, async (reader) => {
        const row = await (reader as unknown as Reader<TenantStatusSchema>)
          .selectFrom('tenant_standings')
          .select(['standing as status', 'version'])
          .executeTakeFirst();
        const held = await options.describe?.(reader);
        return {
          status: row?.status ?? 'active',
          version: row?.version ?? 0,
          measures: Object.entries(held?.measures ?? {}).map(([name, value]) => ({ name, value })),
          lastActivityAt: held?.lastActivityAt?.toISOString(),
        };
      }),
  };
}
