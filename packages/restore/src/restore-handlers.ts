import type * as restore from '@claviger/contracts/cluster/v1/restore';
import type { Database, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handlers } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { RestoreGuard } from './restore-guard.ts';

/** Numbers of ended items by name, e.g. `{ sessions: 3 }`. */
export type EndedCounts = Readonly<Record<string, number>>;

/**
 * Ends, in one transaction of the tenant, all access that may have ended between the backup and now. May be
 * repeated.
 */
export type EndTenantAccess<DB> = (
  tx: Tx<DB>,
  options: { readonly tenantId: string; readonly keepApiTokens: boolean; readonly keepAgentTokens: boolean },
) => Promise<EndedCounts>;

export interface RestoreHandlersOptions<DB> {
  readonly service: string;
  readonly node: string;
  readonly database: Database<DB>;
  readonly guard: RestoreGuard;
  readonly endTenantAccess: EndTenantAccess<DB>;
  /** Writes the audit event of the tenant. */
  readonly record: (tx: Tx<DB>, tenantId: string, epoch: number, ended: EndedCounts) => Promise<unknown>;
}

export function restoreHandlers<DB>(
  options: RestoreHandlersOptions<DB>,
): Handlers<typeof restore.RestoreService> {
  const { service, node, database, guard } = options;
  /** A step of another restore, or of one that was not begun, must not end access. */
  const requireBegun = async (epoch: number): Promise<void> => {
    if (epoch === guard.outsideEpoch()) return;
    // Another replica may have begun it since the last poll.
    await guard.refresh();
    if (epoch === guard.outsideEpoch()) return;
    throw new ClavigerError('conflict', `Restore epoch ${epoch} has not begun.`, {
      code: 'restore_not_begun',
      hint: 'Run `claviger restore finish` again: it begins a new epoch.',
    });
  };
  return {
    getRestoreState: async () => ({
      service,
      node,
      epoch: guard.epoch(),
      outsideEpoch: guard.outsideEpoch(),
      problem: guard.problem() ?? '',
    }),
    beginRestore: async ({ epoch }) => {
      await guard.begin(epoch);
      return {};
    },
    endTenantAccess: async ({ epoch, keepApiTokens, keepAgentTokens }, context) => {
      await requireBegun(epoch);
      const { tenantId } = context;
      const ended = await database.withTenant(tenantId, async (tx) => {
        const counts = await options.endTenantAccess(tx, { tenantId, keepApiTokens, keepAgentTokens });
        const claims = await sql`DELETE FROM idempotency_keys`.execute(tx);
        const all = { ...counts, idempotencyKeys: Number(claims.numAffectedRows ?? 0n) };
        await options.record(tx, tenantId, epoch, all);
        return all;
      });
      return { ended: Object.entries(ended).map(([name, count]) => ({ name, count })) };
    },
    finishRestore: async ({ epoch }) => {
      if (guard.epoch() >= epoch) return {};
      await requireBegun(epoch);
      await guard.finish(epoch);
      return {};
    },
  };
}
