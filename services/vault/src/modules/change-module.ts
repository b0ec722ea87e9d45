import { isDeepStrictEqual } from 'node:util';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { assignAccounts } from '../accounts/assign-accounts.ts';
import { requireRowVersion } from '../ids.ts';
import { isAdministrator } from '../rights/effective-access.ts';
import { requireDestinationOfModule } from '../rights/require-destination.ts';
import type { VaultTx } from '../schema.ts';
import { parseModuleConfig } from '../targets/module-config.ts';
import { checkResource } from '../targets/resource-target.ts';
import { withUniqueName } from '../unique-names.ts';
import type { ModulesDeps } from './deps.ts';
import { moduleById, toModule } from './module-store.ts';

/**
 * Changes the given fields of a module. Throws `precondition_failed` for another row version, `invalid` for a
 * configuration that lacks a setting that a resource needs.
 */
export async function changeModule(
  deps: ModulesDeps,
  context: CallContext,
  request: vault.PatchModuleRequest,
): Promise<{ module: vault.Module }> {
  context.auditSubject = { type: 'module', id: request.moduleId };
  const id = request.moduleId;
  return withUniqueName('a module', () =>
    deps.database.withTenant(context.tenantId, async (tx) => {
      const before = await tx
        .selectFrom('modules')
        .selectAll()
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (!before) throw ClavigerError.notFound();
      requireRowVersion(request.rowVersion, before.row_version);
      let moved = false;
      if (request.config) {
        const config = parseModuleConfig(before.type, request.config);
        const resources = await tx
          .selectFrom('assets')
          .select(['name', 'host', 'port', 'settings'])
          .where('module_id', '=', id)
          .limit(1_000)
          .execute();
        for (const resource of resources) refuseUnusable(resource, before.type, config);
        moved = !isDeepStrictEqual(config.defaults, defaultsIn(before.config));
        if (moved) await requireDestinationOfModule(tx, context, id);
      }
      await tx
        .updateTable('modules')
        .set({
          name: request.name ?? before.name,
          enabled: request.enabled ?? before.enabled,
          // The last test used the former configuration.
          ...(request.config
            ? { config: JSON.stringify(request.config), status: 'untested', status_problem: '' }
            : {}),
          row_version: before.row_version + 1,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute();
      if (request.config) {
        if (moved && !isAdministrator(context.actor)) await markUnproven(tx, context, id);
        await assignAccounts(tx, context, (eb) =>
          eb('entries.asset_id', 'in', eb.selectFrom('assets').select('id').where('module_id', '=', id)),
        );
      }
      await deps.emitter.audit(tx, context, { subject: { type: 'module', id }, request });
      return { module: toModule(await moduleById(tx, id), context) };
    }),
  );
}

/**
 * Marks the accounts on resources of other owners as unproven, because the module may now reach other
 * accounts.
 */
async function markUnproven(tx: VaultTx, context: CallContext, moduleId: string): Promise<void> {
  await tx
    .updateTable('entries')
    .set({ unproven: true })
    .where('status', '=', 'active')
    .where('type', 'in', ['password', 'ssh-key'])
    .where('username', '<>', '')
    .where('asset_id', 'in', (eb) =>
      eb
        .selectFrom('assets')
        .select('id')
        .where('module_id', '=', moduleId)
        .where('owner_id', 'is distinct from', context.actor.userId),
    )
    .execute();
}

/** The stored configuration without its lists of allowed addresses and ports. */
function defaultsIn(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).filter(([name]) => name !== 'allowedCidrs' && name !== 'allowedPorts'),
  );
}

function refuseUnusable(
  resource: { name: string; host: string; port: number; settings: Record<string, unknown> },
  type: string,
  config: ReturnType<typeof parseModuleConfig>,
): void {
  try {
    checkResource({ type, config }, resource);
  } catch (cause) {
    throw new ClavigerError('invalid', 'The request is not valid.', {
      fields: [{ pointer: '/config', detail: `lacks a setting that the resource "${resource.name}" needs` }],
      hint: 'Complete the settings of the resource first.',
      cause,
    });
  }
}
