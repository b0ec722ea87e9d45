import { isDeepStrictEqual } from 'node:util';
import { redact } from '@claviger/contracts';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { type Selectable, sql } from 'kysely';
import { assignAccounts } from '../accounts/assign-accounts.ts';
import { changedFields } from '../changed-fields.ts';
import { requireRowVersion } from '../ids.ts';
import { type Destination, requireDestination } from '../rights/require-destination.ts';
import { notResourceOwner, ownsResource, ownsTarget } from '../rights/resource-owner.ts';
import type { VaultSchema, VaultTx } from '../schema.ts';
import { withUniqueName } from '../unique-names.ts';
import type { ResourcesDeps } from './deps.ts';
import { checkReferences } from './resource-references.ts';
import { resourceById, toResource } from './resource-store.ts';

/** Changes the given fields. */
export function updateResource(deps: ResourcesDeps): Handler<typeof vault.ResourcesService.updateResource> {
  return async (request, context) => {
    context.auditSubject = { type: 'resource', id: request.resourceId, resourceId: request.resourceId };
    const id = request.resourceId;
    return withUniqueName('a resource', () =>
      deps.database.withTenant(context.tenantId, async (tx) => {
        const before = await tx
          .selectFrom('assets')
          .selectAll()
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (!before) throw ClavigerError.notFound();
        requireRowVersion(request.rowVersion, before.row_version);
        const host = request.host ?? before.host;
        const port = request.port ?? before.port;
        const settings = request.settings ?? before.settings;
        const moduleId = request.moduleId === undefined ? before.module_id : request.moduleId || null;
        const adminEntryId =
          request.adminEntryId === undefined ? before.admin_entry_id : request.adminEntryId || null;
        const after = { host, port, settings, moduleId, adminEntryId };
        await checkReferences(tx, after, before.admin_entry_id);
        await requireDestination(tx, context, id, destinationOf(before), after);
        const moved = !isDeepStrictEqual(destinationOf(before), after);
        if (moved) await requireResourceOwner(tx, context, before, after);
        await tx
          .updateTable('assets')
          .set({
            name: request.name ?? before.name,
            type: request.type ?? before.type,
            module_id: moduleId,
            host,
            port,
            description: request.description ?? before.description,
            ...(request.replaceTags ? { tags: request.tags } : {}),
            settings: JSON.stringify(settings),
            status: (request.status ?? before.status) as 'active' | 'disabled',
            admin_entry_id: adminEntryId,
            row_version: before.row_version + 1,
            updated_at: sql<Date>`now()`,
          })
          .where('id', '=', id)
          .execute();
        if (moved) {
          await assignAccounts(tx, context, (eb) => eb('entries.asset_id', '=', id));
          await markUnproven(tx, context, before, after);
        }
        await deps.emitter.audit(tx, context, {
          subject: { type: 'resource', id, resourceId: id },
          details: {
            ...redact(context.method.request, request),
            // The hosts that receive secrets, before and after.
            destination: changedFields(destinationOf(before), after),
          },
        });
        return { resource: toResource(await resourceById(tx, id)) };
      }),
    );
  };
}

/**
 * Moving a resource that has accounts requires full access to them (`requireDestination`). Changing the admin
 * entry, or moving a resource without accounts, requires ownership of the resource.
 */
async function requireResourceOwner(
  tx: VaultTx,
  context: CallContext,
  before: Selectable<VaultSchema['assets']>,
  after: Destination,
): Promise<void> {
  if (await ownsResource(tx, context.actor, before)) return;
  const account = await tx
    .selectFrom('entries')
    .select('id')
    .where('asset_id', '=', before.id)
    .where('status', '=', 'active')
    .limit(1)
    .executeTakeFirst();
  if (!account || after.adminEntryId !== before.admin_entry_id) throw notResourceOwner();
}

/** Another target has other accounts. They must be proven again unless the actor owns both targets. */
async function markUnproven(
  tx: VaultTx,
  context: CallContext,
  before: Selectable<VaultSchema['assets']>,
  after: Destination,
): Promise<void> {
  const { adminEntryId: _admin, ...place } = after;
  const { adminEntryId: _former, ...formerPlace } = destinationOf(before);
  if (isDeepStrictEqual(formerPlace, place) || (await ownsTarget(tx, context.actor, before.id))) return;
  await tx
    .updateTable('entries')
    .set({ unproven: true })
    .where('asset_id', '=', before.id)
    .where('status', '=', 'active')
    .where('type', 'in', ['password', 'ssh-key'])
    .where('username', '<>', '')
    .execute();
}

function destinationOf(asset: Selectable<VaultSchema['assets']>): Destination {
  const { host, port, settings, module_id: moduleId, admin_entry_id: adminEntryId } = asset;
  return { host, port, settings: settings as object, moduleId, adminEntryId };
}
