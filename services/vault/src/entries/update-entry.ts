import type { vault } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultDeps } from '../deps.ts';
import { recordPath } from '../disclosure/record-exposure.ts';
import { requireId, requireRowVersion } from '../ids.ts';
import { withUniqueName } from '../unique-names.ts';
import { entryById, entrySubject, lockEntry, refuseDuringRotation, toEntry } from './entry-rows.ts';
import { promoteVersion } from './promote-version.ts';
import { checkedSecret } from './secret-rules.ts';
import { setBy } from './set-by.ts';

/**
 * Changes what is given. A new secret becomes the current version at once, as what a person says the target holds: that also
 * settles an entry that was out of step with its target.
 */
export function updateEntry(deps: VaultDeps): Handler<(typeof vault.EntriesServiceService)['updateEntry']> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = requireId(request.entryId);
    const secret = request.secret === undefined ? undefined : checkedSecret(request.secret);
    const kek = secret === undefined ? undefined : await deps.secrets.keyFor(tenantId);
    return withUniqueName('an entry', () =>
      deps.database.withTenant(tenantId, async (tx) => {
        const before = await lockEntry(tx, id);
        requireRowVersion(request.rowVersion, before.row_version);
        refuseDuringRotation(before);
        await tx
          .updateTable('entries')
          .set({
            name: request.name ?? before.name,
            username: request.username ?? before.username,
            description: request.description ?? before.description,
            ...(request.replaceTags ? { tags: request.tags } : {}),
            requires_grant: request.requiresGrant ?? before.requires_grant,
            requires_reason: request.requiresReason ?? before.requires_reason,
            row_version: before.row_version + 1,
            updated_at: sql<Date>`now()`,
          })
          .where('id', '=', id)
          .execute();
        let stored: object = {};
        if (secret !== undefined && kek) {
          const { latest } = await tx
            .selectFrom('entry_versions')
            .select((eb) => eb.fn.max('version').as('latest'))
            .where('entry_id', '=', id)
            .executeTakeFirstOrThrow();
          const version = deps.secrets.seal(
            kek,
            secret,
            { tenantId, entryId: id, version: latest + 1, purpose: before.type },
            'pending',
            actor.userId,
          );
          await tx.insertInto('entry_versions').values(version).execute();
          await promoteVersion(tx, id, latest + 1);
          await recordPath(tx, tenantId, setBy(actor, id, latest + 1));
          stored = { version: latest + 1, blobSha256: version.blob_sha256.toString('hex') };
        }
        // The request's own field of the secret never stands in an event.
        const { secret: _, ...said } = request;
        await deps.emitter.audit(tx, context, {
          subject: entrySubject(before),
          details: { ...said, ...stored },
        });
        return { entry: toEntry(await entryById(tx, id)) };
      }),
    );
  };
}
