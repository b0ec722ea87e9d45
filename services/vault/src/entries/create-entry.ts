import { randomUUID } from 'node:crypto';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { assignAccounts } from '../accounts/assign-accounts.ts';
import { recordPath } from '../disclosure/record-exposure.ts';
import { requireRotationRight } from '../rights/require-account-use.ts';
import { hasAccessPolicy, leastProtection, mustBeProven } from '../rights/unproven.ts';
import type { VaultTx } from '../schema.ts';
import { withUniqueName } from '../unique-names.ts';
import type { EntriesDeps } from './deps.ts';
import { entryById, entrySubject, toEntry } from './entry-store.ts';
import { firstSecret } from './secret-rules.ts';
import { exposureByTyping } from './typed-secret.ts';

const NO_PROTECTION = { requiresGrant: false, requiresReason: false };

export function createEntry(deps: EntriesDeps): Handler<typeof vault.EntriesService.createEntry> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const type = request.type || 'password';
    if (request.rotationIntervalHours > 0 && (type !== 'password' || !request.resourceId)) {
      throw ClavigerError.invalid('/rotationIntervalHours', 'is allowed only for passwords of a resource');
    }
    const secret = firstSecret({ type, secret: request.secret, generate: request.generate });
    const kek = await deps.secrets.keyFor(tenantId);
    const account = { type, username: request.username, asset_id: request.resourceId || null };
    const hasPolicy = await accessPolicyApplies(deps, context, account);
    return withUniqueName('an entry', () =>
      deps.database.withTenant(tenantId, async (tx) => {
        const id = randomUUID();
        const assetId = request.resourceId || null;
        if (assetId) await lockResource(tx, assetId);
        const unproven = await mustBeProven(tx, actor, account);
        const least = unproven ? await leastProtection(tx, assetId!, hasPolicy) : NO_PROTECTION;
        const requiresGrant = request.requiresGrant || least.requiresGrant;
        const requiresReason = request.requiresReason || least.requiresReason;
        const hours = request.rotationIntervalHours;
        if (hours > 0) await requireRotationRight(tx, context, account);
        await tx
          .insertInto('entries')
          .values({
            tenant_id: tenantId,
            id,
            asset_id: assetId,
            name: request.name,
            type,
            username: request.username,
            description: request.description,
            tags: request.tags,
            current_version: 1,
            rotation_interval_hours: hours,
            next_rotation_at: hours > 0 ? sql<Date>`now() + make_interval(hours => ${hours}::int)` : null,
            requires_grant: requiresGrant,
            requires_reason: requiresReason,
            unproven,
            owner_id: actor.userId,
            created_by: actor.userId,
          })
          .execute();
        await assignAccounts(tx, context, (eb) => eb('entries.id', '=', id));
        const version = deps.secrets.encrypt(
          kek,
          secret,
          { tenantId, entryId: id, version: 1, purpose: type },
          'current',
          actor.userId,
        );
        await tx.insertInto('entry_versions').values(version).execute();
        if (!request.generate) await recordPath(tx, tenantId, exposureByTyping(actor, id, 1));
        await deps.emitter.audit(tx, context, {
          subject: entrySubject({ id, asset_id: assetId }),
          details: {
            name: request.name,
            type,
            username: request.username,
            version: 1,
            blobSha256: version.blob_sha256.toString('hex'),
            generated: request.generate,
            requiresGrant,
            requiresReason,
            unproven,
            rotationIntervalHours: hours,
          },
        });
        return { entry: toEntry(await entryById(tx, id)) };
      }),
    );
  };
}

/** Whether an access policy applies to the account. Workflow is asked only if the account starts unproven. */
async function accessPolicyApplies(
  deps: EntriesDeps,
  context: CallContext,
  account: { readonly type: string; readonly username: string; readonly asset_id: string | null },
): Promise<boolean> {
  if (!account.asset_id) return false;
  const asked = await deps.database.readTenant(context.tenantId, (reader) =>
    mustBeProven(reader, context.actor, account),
  );
  // If the actor stops being an owner during the call, the account is treated as if a policy applied.
  return asked ? hasAccessPolicy(deps, context, account.asset_id) : true;
}

/** Locks the resource against deletion until the transaction ends. */
async function lockResource(tx: VaultTx, id: string): Promise<void> {
  const found = await tx.selectFrom('assets').select('id').where('id', '=', id).forShare().executeTakeFirst();
  if (!found) throw ClavigerError.invalid('/resourceId', 'is not the id of a resource');
}
