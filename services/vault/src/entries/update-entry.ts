import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { assignAccounts } from '../accounts/assign-accounts.ts';
import { changedFields } from '../changed-fields.ts';
import { recordPath } from '../disclosure/record-exposure.ts';
import { requireRowVersion } from '../ids.ts';
import { lockEntry } from '../rights/lock-entry.ts';
import { askForLowering, useLoweringDecision } from '../rights/lowered-protection.ts';
import { requireAccess } from '../rights/require-access.ts';
import { mustBeProven } from '../rights/unproven.ts';
import { withUniqueName } from '../unique-names.ts';
import type { EntriesDeps } from './deps.ts';
import { entryById, entrySubject, type LockedEntry, refuseDuringRotation, toEntry } from './entry-store.ts';
import { promoteVersion } from './promote-version.ts';
import { checkedSecret } from './secret-rules.ts';
import { exposureByTyping } from './typed-secret.ts';

const TAKES_FULL_ACCESS = ['username', 'requiresGrant', 'requiresReason'] as const;

/**
 * Changes the given fields. Value and metadata require modify access; the account name and the protection
 * require full access. If a policy demands the protection, its approvers must approve a lower one. A new
 * secret becomes current at once, because the actor states that the target holds it; an entry that was out of
 * sync becomes idle.
 */
export function updateEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.updateEntry> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    context.auditSubject = { type: 'entry', id: request.entryId };
    const id = request.entryId;
    const kek = request.secret === undefined ? undefined : await deps.secrets.keyFor(tenantId);
    const lowering = await askForLowering(deps, context, id, request, request.reason);
    return withUniqueName('an entry', () =>
      deps.database.withTenant(tenantId, async (tx) => {
        const before = await lockEntry(tx, context, id);
        requireRowVersion(request.rowVersion, before.row_version);
        refuseDuringRotation(before);
        const now = settingsOf(before);
        const wanted = {
          name: request.name ?? now.name,
          username: request.username ?? now.username,
          description: request.description ?? now.description,
          tags: request.replaceTags ? request.tags : now.tags,
          requiresGrant: request.requiresGrant ?? now.requiresGrant,
          requiresReason: request.requiresReason ?? now.requiresReason,
        };
        const changed = changedFields(now, wanted);
        const movesProtection = TAKES_FULL_ACCESS.some((name) => name in changed.after);
        if (movesProtection) await requireAccess(tx, context, before, 'full');
        await useLoweringDecision(tx, context, before, wanted, lowering);
        const renamed = wanted.username !== now.username;
        const unproven =
          before.unproven ||
          (renamed && (await mustBeProven(tx, actor, { ...before, username: wanted.username })));
        await tx
          .updateTable('entries')
          .set({
            name: wanted.name,
            username: wanted.username,
            description: wanted.description,
            tags: wanted.tags,
            requires_grant: wanted.requiresGrant,
            requires_reason: wanted.requiresReason,
            unproven,
            ...(renamed ? { last_verified_at: null } : {}),
            protection_version: before.protection_version + (movesProtection ? 1 : 0),
            row_version: before.row_version + 1,
            updated_at: sql<Date>`now()`,
          })
          .where('id', '=', id)
          .execute();
        if (renamed) await assignAccounts(tx, context, (eb) => eb('entries.id', '=', id));
        let stored: object = {};
        if (request.secret !== undefined && kek) {
          const { latest } = await tx
            .selectFrom('entry_versions')
            .select((eb) => eb.fn.max('version').as('latest'))
            .where('entry_id', '=', id)
            .executeTakeFirstOrThrow();
          const version = deps.secrets.encrypt(
            kek,
            checkedSecret(before.type, request.secret),
            { tenantId, entryId: id, version: latest + 1, purpose: before.type },
            'pending',
            actor.userId,
          );
          await tx.insertInto('entry_versions').values(version).execute();
          await promoteVersion(tx, id, latest + 1);
          await recordPath(tx, tenantId, exposureByTyping(actor, id, latest + 1));
          stored = { version: latest + 1, blobSha256: version.blob_sha256.toString('hex') };
        }
        await deps.emitter.audit(tx, context, {
          subject: entrySubject(before),
          ...(request.reason ? { reason: request.reason } : {}),
          details: {
            ...changed,
            ...(unproven === before.unproven ? {} : { unproven }),
            ...stored,
            ...(lowering?.requestId ? { approvedBy: lowering.requestId } : {}),
          },
        });
        return { entry: toEntry(await entryById(tx, id)) };
      }),
    );
  };
}

function settingsOf(entry: LockedEntry) {
  return {
    name: entry.name,
    username: entry.username,
    description: entry.description,
    tags: entry.tags,
    requiresGrant: entry.requires_grant,
    requiresReason: entry.requires_reason,
  };
}
