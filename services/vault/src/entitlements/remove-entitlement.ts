import type * as vault from '@claviger/contracts/vault/v1/vault';
import { isClavigerError } from '@claviger/errors';
import type { Kek } from '@claviger/keyring';
import { changedNothing, type Handler } from '@claviger/service-kit';
import { type Selectable, sql } from 'kysely';
import { entrySubject, type LockedEntry } from '../entries/entry-store.ts';
import { isAccount, requestRotation, requireRotatable } from '../rotation/request-rotation.ts';
import type { RotationAfterGrant, VaultSchema, VaultTx } from '../schema.ts';
import type { EntitlementsDeps } from './deps.ts';
import { lockGrant, rememberEnd } from './ended-grants.ts';

type Entitlement = Selectable<VaultSchema['entitlements']>;

/**
 * Repeatable, and possible while the vault is sealed. The call that ends the grant records the event; a
 * repetition returns the same answer and records none. A concurrent disclosure either commits first and is
 * seen here, or finds the grant ended. A secret that the grantee has seen and that is still current is
 * rotated.
 */
export function removeEntitlement(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.removeEntitlement> {
  return async ({ grantId, cause }, context) => {
    const kek = await kekUnlessSealed(deps, context.tenantId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const known = await entryOfGrant(tx, grantId);
      if (!known) {
        if (await rememberEnd(tx, context.tenantId, grantId, cause)) {
          await deps.emitter.audit(tx, context, {
            subject: { type: 'grant', id: grantId },
            details: { grantId, cause, known: false },
          });
        } else changedNothing(context);
        return answer('not-needed');
      }
      // Locks the entry before its grants, in the same order as all other transactions.
      const entry = await tx
        .selectFrom('entries')
        .selectAll()
        .where('id', '=', known.entry_id)
        .forUpdate()
        .executeTakeFirstOrThrow();
      const removed = await tx
        .updateTable('entitlements')
        .set({ removed_at: sql<Date>`clock_timestamp()`, removal_cause: cause })
        .where('grant_id', '=', grantId)
        .where('removed_at', 'is', null)
        .returningAll()
        .executeTakeFirst();
      if (!removed) {
        changedNothing(context);
        return answer(await storedRotation(tx, grantId));
      }
      const rotation = await rotateSeenSecret(tx, deps, entry, removed, kek);
      await tx.updateTable('entitlements').set({ rotation }).where('grant_id', '=', grantId).execute();
      await deps.emitter.audit(tx, context, {
        subject: entrySubject(entry),
        details: { grantId, cause, rotation, rotationQueued: rotation === 'queued' },
      });
      return answer(rotation);
    });
  };
}

function answer(rotation: RotationAfterGrant): vault.RemoveEntitlementResponse {
  return { rotation, rotationQueued: rotation === 'queued' };
}

async function entryOfGrant(tx: VaultTx, grantId: string) {
  await lockGrant(tx, grantId);
  return tx.selectFrom('entitlements').select('entry_id').where('grant_id', '=', grantId).executeTakeFirst();
}

async function rotateSeenSecret(
  tx: VaultTx,
  deps: EntitlementsDeps,
  entry: LockedEntry,
  grant: Entitlement,
  kek: Kek | undefined,
): Promise<RotationAfterGrant> {
  if (!grant.rotate_on_end || !(await wasSeen(tx, entry, grant))) return 'not-needed';
  if (entry.status !== 'active' || !isAccount(entry)) return 'impossible';
  const rotatesNow = entry.rotation_state === 'idle' && kek && (await isRotatable(tx, entry));
  if (rotatesNow) {
    await requestRotation(tx, deps, { entry, kek, trigger: 'grant-ended', requestedBy: 'vault' });
    return 'queued';
  }
  // An open rotation replaces the secret. If it fails, or none can start now, the due queue keeps the
  // request.
  await tx
    .updateTable('entries')
    .set({
      next_rotation_at: sql<Date>`least(coalesce(next_rotation_at, 'infinity'), now())`,
      rotation_cause: sql<'exposure' | 'grant-ended'>`coalesce(rotation_cause, 'grant-ended')`,
    })
    .where('id', '=', entry.id)
    .execute();
  return 'queued';
}

/** Whether the grantee has seen the current secret since the grant was placed. */
async function wasSeen(tx: VaultTx, entry: LockedEntry, grant: Entitlement): Promise<boolean> {
  const seen = await tx
    .selectFrom('exposures')
    .select('version')
    .where('entry_id', '=', entry.id)
    .where('version', '=', entry.current_version)
    .where('user_id', '=', grant.user_id)
    .where((eb) => eb.or([eb('grant_id', '=', grant.grant_id), eb('last_seen_at', '>=', grant.placed_at)]))
    .executeTakeFirst();
  return seen !== undefined;
}

async function isRotatable(tx: VaultTx, entry: LockedEntry): Promise<boolean> {
  try {
    await requireRotatable(tx, entry);
    return true;
  } catch (error) {
    if (isClavigerError(error) && error.reason === 'conflict') return false;
    throw error;
  }
}

/** The answer of the first call. */
async function storedRotation(tx: VaultTx, grantId: string): Promise<RotationAfterGrant> {
  const row = await tx
    .selectFrom('entitlements')
    .select('rotation')
    .where('grant_id', '=', grantId)
    .executeTakeFirst();
  return row?.rotation ?? 'not-needed';
}

async function kekUnlessSealed(deps: EntitlementsDeps, tenantId: string): Promise<Kek | undefined> {
  try {
    return await deps.secrets.keyFor(tenantId);
  } catch (error) {
    if (isClavigerError(error) && (error.reason === 'sealed' || error.reason === 'integrity_error')) {
      return undefined;
    }
    throw error;
  }
}
