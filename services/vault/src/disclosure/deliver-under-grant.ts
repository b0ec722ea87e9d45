import { requireActiveTenant } from '@claviger/database';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { CanonicalEvent } from '@claviger/events';
import { type CallContext, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import { ENCRYPTED_COLUMNS, type EncryptedVersion } from '../encryption/secrets.ts';
import { unproven } from '../rights/unproven.ts';
import type { VaultTx } from '../schema.ts';
import type { DisclosureDeps } from './deps.ts';
import { auditUnavailable, endedSince } from './disclosure-gate.ts';
import { recordExposure } from './record-exposure.ts';

export interface CommittedDelivery {
  readonly encryptedVersion: EncryptedVersion;
  readonly entryId: string;
  readonly username: string;
  readonly rotationState: string;
  readonly host: string;
  readonly port: number;
  readonly event: CanonicalEvent;
}

interface Taken {
  readonly delivery: CommittedDelivery;
  /** Time left until the grant's end when its row was locked. */
  readonly endsInMs: number;
}

/**
 * Takes a delivery from a grant and records it in one transaction, before the secret is decrypted. Of
 * concurrent deliveries under a one-time grant, one succeeds. Throws `not_found`, `denied`, conflict
 * `already_delivered`, `grant_expired` or `grant_ended`, or `audit_unavailable`.
 */
export async function deliverUnderGrant(
  deps: DisclosureDeps,
  context: CallContext,
  grantId: string,
  said: { readonly reason: string; readonly ticket: string },
): Promise<CommittedDelivery> {
  try {
    const sentAt = performance.now();
    const { delivery, endsInMs } = await deps.database.withTenant(context.tenantId, (tx) =>
      deliver(tx, deps, context, grantId, said),
    );
    if (endedSince(sentAt, endsInMs)) throw grantExpired();
    return delivery;
  } catch (error) {
    if (isClavigerError(error) && error.reason !== 'unavailable') throw error;
    throw auditUnavailable(error);
  }
}

async function deliver(
  tx: VaultTx,
  deps: DisclosureDeps,
  context: CallContext,
  grantId: string,
  said: { readonly reason: string; readonly ticket: string },
): Promise<Taken> {
  const { userId } = context.actor;
  await requireActiveTenant(tx);
  const taken = await tx
    .updateTable('entitlements')
    .set({
      delivered_at: sql<Date>`coalesce(delivered_at, now())`,
      delivery_count: sql<number>`delivery_count + 1`,
    })
    .where('grant_id', '=', grantId)
    .where('user_id', '=', userId)
    .where('removed_at', 'is', null)
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .where((eb) => eb.or([eb('one_time', '=', false), eb('delivered_at', 'is', null)]))
    .returning('entry_id')
    .returning(
      sql<number>`(extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8`.as('ends_in_ms'),
    )
    .executeTakeFirst();
  if (!taken) throw await refusal(tx, context, grantId);
  // The grant may have expired while the transaction waited for the row lock.
  if (taken.ends_in_ms <= 0) throw grantExpired();
  const found = await tx
    .selectFrom('entries')
    .innerJoin('entry_versions', (join) =>
      join
        .onRef('entry_versions.entry_id', '=', 'entries.id')
        .onRef('entry_versions.version', '=', 'entries.current_version'),
    )
    .leftJoin('assets', 'assets.id', 'entries.asset_id')
    .select(ENCRYPTED_COLUMNS)
    .select([
      'entries.username',
      'entries.rotation_state',
      'entries.asset_id',
      'entries.requires_reason',
      'entries.unproven',
      'entries.owner_id',
      'assets.host',
      'assets.port',
    ])
    .where('entries.id', '=', taken.entry_id)
    .where('entries.status', '=', 'active')
    .executeTakeFirst();
  if (!found) throw ClavigerError.notFound();
  // The actor who named the account may have stored a secret of their own choice.
  if (found.unproven && found.owner_id !== userId) throw unproven('denied', 'This account');
  await recordExposure(tx, context.tenantId, {
    entryId: found.entry_id,
    version: found.version,
    userId,
    userName: context.actor.userName,
    kind: 'grant',
    via: grantId,
  });
  context.accessBasis = 'grant';
  const event = await deps.emitter.audit(tx, context, {
    subject: {
      type: 'entry',
      id: found.entry_id,
      ...(found.asset_id ? { resourceId: found.asset_id } : {}),
    },
    reason: said.reason,
    details: {
      version: found.version,
      basis: 'grant',
      grantId,
      ...(said.ticket ? { ticket: said.ticket } : {}),
    },
  });
  return {
    endsInMs: taken.ends_in_ms,
    delivery: {
      encryptedVersion: found,
      entryId: found.entry_id,
      username: found.username,
      rotationState: found.rotation_state,
      host: found.host ?? '',
      port: found.port ?? 0,
      event,
    },
  };
}

/**
 * The error when no delivery was taken. Grants of other actors are not found, except for administrators of
 * secrets.
 */
async function refusal(tx: VaultTx, context: CallContext, grantId: string): Promise<ClavigerError> {
  const grant = await tx
    .selectFrom('entitlements')
    .select(['user_id', 'removed_at', 'delivered_at', 'one_time'])
    .where('grant_id', '=', grantId)
    .executeTakeFirst();
  if (!grant) return ClavigerError.notFound();
  if (grant.user_id !== context.actor.userId) {
    return permits(context.actor.permissions, 'vault.entries.retrieve-any')
      ? new ClavigerError('denied', 'Only the grantee can retrieve the credentials.')
      : ClavigerError.notFound();
  }
  if (grant.removed_at) return new ClavigerError('conflict', 'The grant has ended.', { code: 'grant_ended' });
  if (grant.one_time && grant.delivered_at) {
    return new ClavigerError('conflict', 'The one-time credentials were already delivered.', {
      code: 'already_delivered',
      hint: 'If you did not receive them, end the grant and request access again. The vault then rotates the secret.',
    });
  }
  return grantExpired();
}

function grantExpired(): ClavigerError {
  return new ClavigerError('conflict', 'The grant has expired.', {
    code: 'grant_expired',
    hint: 'Request access again.',
  });
}
