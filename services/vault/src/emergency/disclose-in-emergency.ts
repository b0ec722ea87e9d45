import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { CanonicalEvent } from '@claviger/events';
import { JournalUnwritableError } from '@claviger/journal';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { ENCRYPTED_COLUMNS, type EncryptedVersion } from '../encryption/secrets.ts';
import type { EmergencyDeps } from './deps.ts';
import { journalEntryOf } from './journal-entry.ts';
import { recordDisclosure } from './record-disclosure.ts';

export interface EmergencyDisclosure {
  readonly encryptedVersion: EncryptedVersion;
  readonly username: string;
  readonly rotationState: string;
  readonly event: CanonicalEvent;
}

/**
 * Refusals that an open emergency session overrides: no access, or an audit record that cannot be written.
 */
export function emergencyAccessOverrides(error: unknown): error is ClavigerError {
  return isClavigerError(error) && (error.reason === 'denied' || error.reason === 'audit_unavailable');
}

/**
 * Prepares a disclosure under the actor's open emergency session. The record is on the local disk before the
 * secret is decrypted, and in the database as soon as it accepts the record. Returns undefined when no
 * session covers the entry. Throws `invalid` without a reason, `unavailable` (`journal_unwritable`) when the
 * record cannot be stored.
 */
export async function discloseInEmergency(
  deps: EmergencyDeps,
  context: CallContext,
  request: { readonly entryId: string; readonly reason: string; readonly version: number | undefined },
): Promise<EmergencyDisclosure | undefined> {
  // Emergency access is for a signed-in person. Machines may hold the person's API tokens.
  if (context.actor.kind !== 'user') return undefined;
  const found = await findUnderSession(deps, context, request);
  if (!found) return undefined;
  if (request.reason.trim() === '')
    throw ClavigerError.invalid('/reason', 'is required during emergency access');
  const { row, sealed } = deps.emitter.auditRow(context, {
    subject: {
      type: 'entry',
      id: request.entryId,
      ...(found.asset_id ? { resourceId: found.asset_id } : {}),
    },
    reason: request.reason,
    details: { version: found.version, basis: 'breakglass', sessionId: found.session_id },
  });
  const entry = journalEntryOf(row, {
    sessionId: found.session_id,
    userId: context.actor.userId,
    entryId: request.entryId,
    version: found.version,
    disclosedAt: sealed.event.occurredAt,
  });
  const seq = await append(deps, JSON.stringify(entry));
  deps.logger.warn(
    { alert: 'breakglass', sessionId: found.session_id, entryId: request.entryId, seq },
    'emergency access discloses a secret',
  );
  try {
    await recordDisclosure(deps, entry, {
      node: deps.config.node,
      seq,
      fromJournal: false,
    });
  } catch (error) {
    // The journal is merged when the database accepts writes again.
    deps.logger.error(
      { err: error, seq },
      'an emergency disclosure is stored in the journal only; it is merged later',
    );
    deps.wakeJournalMerge();
  }
  return {
    encryptedVersion: found,
    username: found.username,
    rotationState: found.rotation_state,
    event: sealed,
  };
}

async function append(deps: EmergencyDeps, text: string): Promise<number> {
  try {
    return await deps.journal.append(text);
  } catch (error) {
    if (!(error instanceof JournalUnwritableError)) throw error;
    throw new ClavigerError(
      'unavailable',
      'The emergency journal cannot be written, so nothing was disclosed.',
      {
        code: 'journal_unwritable',
        hint: 'An operator frees disk space for the journal of the vault or corrects its permissions. The log has the cause.',
        retryAfterSeconds: 5,
        cause: error,
      },
    );
  }
}

/** Reads only, so that it works while the database refuses writes. Expiry uses the database's clock. */
function findUnderSession(
  deps: EmergencyDeps,
  context: CallContext,
  request: { readonly entryId: string; readonly version: number | undefined },
) {
  return deps.database.readTenant(context.tenantId, (reader) =>
    reader
      .selectFrom('entries')
      .innerJoin('emergency_sessions as s', 's.tenant_id', 'entries.tenant_id')
      .innerJoin('entry_versions', (join) =>
        join
          .onRef('entry_versions.tenant_id', '=', 'entries.tenant_id')
          .onRef('entry_versions.entry_id', '=', 'entries.id')
          .on(
            'entry_versions.version',
            '=',
            request.version === undefined
              ? sql<number>`entries.current_version`
              : sql<number>`${request.version}::int`,
          ),
      )
      .select(ENCRYPTED_COLUMNS)
      .select(['s.id as session_id', 'entries.username', 'entries.rotation_state', 'entries.asset_id'])
      .where('entries.id', '=', request.entryId)
      .where('entries.status', '=', 'active')
      .where('entry_versions.state', 'in', ['current', 'previous'])
      .where('s.user_id', '=', context.actor.userId)
      .where('s.ended_at', 'is', null)
      .where('s.expires_at', '>', sql<Date>`clock_timestamp()`)
      .where(
        sql<boolean>`(s.all_entries OR entries.id = ANY (s.entry_ids) OR entries.asset_id = ANY (s.resource_ids))`,
      )
      .where(
        sql<boolean>`NOT EXISTS (SELECT FROM tenant_standings t WHERE t.tenant_id = entries.tenant_id AND t.standing <> 'active')`,
      )
      .orderBy('s.expires_at', 'desc')
      .limit(1)
      .executeTakeFirst(),
  );
}
