import { randomUUID } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import type { Kek } from '@claviger/keyring';
import type { LockedEntry } from '../entries/entry-store.ts';
import { newPassword } from '../entries/secret-rules.ts';
import { unproven } from '../rights/unproven.ts';
import type { RotationTrigger, VaultReader, VaultTx } from '../schema.ts';
import { loadTarget, type Target, usableAdmin } from '../targets/load-target.ts';
import { rotatesAsAdmin } from './as-admin.ts';
import type { RotationDeps } from './deps.ts';
import { rotateCredentialJob } from './rotate-credential-job.ts';
import type { RotationRow } from './rotation-store.ts';

/** Whether the entry is an account on a resource. */
export function isAccount(entry: Pick<LockedEntry, 'type' | 'asset_id' | 'username'>): boolean {
  return entry.type === 'password' && entry.asset_id !== null && entry.username !== '';
}

/** Throws a conflict with a hint if the secret of the entry cannot be changed on a target. */
export async function requireRotatable(
  reader: VaultReader,
  entry: Pick<LockedEntry, 'id' | 'type' | 'asset_id' | 'username' | 'account_id' | 'unproven'>,
): Promise<Target> {
  if (!isAccount(entry)) {
    throw new ClavigerError('conflict', 'This entry is not an account on a target.', {
      code: 'not_rotatable',
      hint: 'Only password entries with a user name, of a resource with a module, can be rotated.',
    });
  }
  if (entry.unproven) throw unproven('conflict', 'This account');
  const target = await loadTarget(reader, entry.asset_id!);
  await refuseShared(reader, entry);
  if (rotatesAsAdmin(target) && !usableAdmin(target)) {
    throw new ClavigerError('conflict', 'The resource rotates with an admin entry and has none.', {
      code: 'no_admin_entry',
      hint: 'Give the resource an admin entry.',
    });
  }
  return target;
}

/** A rotation of one of two entries of an account would leave the other with a wrong secret. */
async function refuseShared(
  reader: VaultReader,
  entry: Pick<LockedEntry, 'id' | 'type' | 'account_id'>,
): Promise<void> {
  if (!entry.account_id) return;
  const other = await reader
    .selectFrom('entries')
    .select('id')
    .where('account_id', '=', entry.account_id)
    .where('type', '=', entry.type)
    .where('status', '=', 'active')
    .where('id', '<>', entry.id)
    .limit(1)
    .executeTakeFirst();
  if (!other) return;
  throw new ClavigerError('conflict', 'Another entry names the same account of the target.', {
    code: 'account_shared',
    hint: 'Keep one of the entries and delete the others. A rotation would leave them with a wrong secret.',
  });
}

/**
 * Stores a pending version and its rotation, before the target is changed. The caller has locked the entry,
 * has checked that it is rotatable, and records the audit event.
 */
export async function requestRotation(
  tx: VaultTx,
  deps: RotationDeps,
  request: {
    readonly entry: LockedEntry;
    readonly kek: Kek;
    readonly trigger: RotationTrigger;
    readonly requestedBy: string;
    /** The current secret is lost: an administrator sets another one without a login first. */
    readonly secretLost?: boolean;
  },
): Promise<RotationRow> {
  const { entry, kek, trigger, requestedBy, secretLost = false } = request;
  const version = await storePendingVersion(tx, deps, entry, kek, requestedBy);
  const rotation = await tx
    .insertInto('rotations')
    .values({
      tenant_id: entry.tenant_id,
      id: randomUUID(),
      entry_id: entry.id,
      version,
      state: 'pending',
      trigger,
      requested_by: requestedBy,
      secret_lost: secretLost,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await tx.updateTable('entries').set({ rotation_state: 'pending' }).where('id', '=', entry.id).execute();
  await deps.emitter.job(tx, entry.tenant_id, rotateCredentialJob.queue, { rotationId: rotation.id });
  return rotation;
}

/** Stores a new random secret as the entry's next version. Returns the version. */
export async function storePendingVersion(
  tx: VaultTx,
  deps: RotationDeps,
  entry: Pick<LockedEntry, 'tenant_id' | 'id' | 'type'>,
  kek: Kek,
  createdBy: string,
): Promise<number> {
  const { latest } = await tx
    .selectFrom('entry_versions')
    .select((eb) => eb.fn.max('version').as('latest'))
    .where('entry_id', '=', entry.id)
    .executeTakeFirstOrThrow();
  const ids = { tenantId: entry.tenant_id, entryId: entry.id, version: latest + 1, purpose: entry.type };
  await tx
    .insertInto('entry_versions')
    .values(deps.secrets.encrypt(kek, newPassword(), ids, 'pending', createdBy))
    .execute();
  return latest + 1;
}
