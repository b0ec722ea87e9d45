import { type Database, requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CanonicalEvent, Emitter, OutboxRow } from '@claviger/events';
import { claimKey } from '@claviger/idempotency';
import { type CallContext, failpoint, permits } from '@claviger/service-kit';
import { CompiledQuery } from 'kysely';
import type { EncryptedVersion } from '../encryption/secrets.ts';
import { unproven } from '../rights/unproven.ts';
import type { VaultSchema } from '../schema.ts';
import { disclosureStatement } from './disclosure-statement.ts';

export interface DisclosureRequest {
  readonly entryId: string;
  /** Undefined: the current version. */
  readonly version: number | undefined;
  readonly reason: string;
  readonly ticket: string;
}

/** A disclosure whose audit record is committed. The secret may be decrypted now. */
export interface CommittedDisclosure {
  readonly kind: 'committed';
  readonly encryptedVersion: EncryptedVersion;
  readonly username: string;
  readonly rotationState: string;
  readonly event: CanonicalEvent;
}

/** Only a one-time grant allows the disclosure; `deliverUnderGrant` takes it. */
export interface OneTimeOnly {
  readonly kind: 'one-time';
  readonly grantId: string;
}

/**
 * Decides and records a retrieval in one transaction. Throws `not_found`, `denied`, `invalid`, or
 * `audit_unavailable` when the commit is not confirmed. Concurrent retrievals may share a transaction.
 */
export interface DisclosureGate {
  retrieve(context: CallContext, request: DisclosureRequest): Promise<CommittedDisclosure | OneTimeOnly>;
}

/**
 * The facts in the audit event. They are predicted, because the event is hashed before the statement is sent.
 */
interface PredictedFacts {
  readonly version: number;
  readonly assetId: string | null;
  readonly basis: string;
  readonly grantId: string | null;
}

interface Verdict {
  id: string;
  asset_id: string | null;
  username: string;
  rotation_state: string;
  requires_reason: boolean;
  version: number;
  basis: string | null;
  grant_id: string | null;
  /** Time left until the grant's end when the statement decided; null without a grant. */
  grant_ends_in_ms: number | null;
  one_time_grant_id: string | null;
  /** The entry is unproven and the actor is not its owner. */
  withheld: boolean;
  has_version: boolean;
  recorded: boolean;
}

const MAX_PREDICTIONS = 20_000;
const MAX_TRIES = 4;

/**
 * Usually one statement, in a transaction that concurrent retrievals may share. The statement records the
 * event only if the predicted facts are right. If they are not, or none are known, a second statement is sent
 * with the facts of the first. Predictions never decide access.
 */
export function createDisclosureGate(database: Database<VaultSchema>, emitter: Emitter): DisclosureGate {
  const predictions = new Map<string, PredictedFacts>();

  return {
    retrieve: async (context, request) => {
      const { tenantId, actor } = context;
      const key = `${tenantId} ${request.entryId} ${actor.userId} ${request.version ?? ''}`;
      for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
        const expected = predictions.get(key);
        const record = expected && eventOf(emitter, context, request, expected);
        const sentAt = performance.now();
        const row = await decide(database, context, request, expected, record?.row);
        if (!row) await database.readTenant(tenantId, (reader) => requireActiveTenant(reader));
        const facts = throwIfRefused(row, request);
        if ('kind' in facts) return facts;
        if (facts.recorded && record) {
          if (facts.grant_id && endedSince(sentAt, facts.grant_ends_in_ms!)) throw noAccess();
          return {
            kind: 'committed',
            encryptedVersion: row as unknown as EncryptedVersion,
            username: facts.username,
            rotationState: facts.rotation_state,
            event: record.sealed,
          };
        }
        if (predictions.size >= MAX_PREDICTIONS) predictions.delete(predictions.keys().next().value!);
        predictions.set(key, {
          version: facts.version,
          assetId: facts.asset_id,
          basis: facts.basis!,
          grantId: facts.grant_id,
        });
      }
      throw new ClavigerError(
        'audit_unavailable',
        'The entry changed repeatedly while the disclosure was recorded.',
        {
          retryAfterSeconds: 1,
        },
      );
    },
  };
}

/**
 * Whether a grant that had `endsInMs` left at some time after `sentAt` has ended by now. The commit may have
 * waited for locks: then the event is recorded, and the secret is not disclosed.
 */
export function endedSince(sentAt: number, endsInMs: number): boolean {
  return performance.now() - sentAt >= endsInMs;
}

function noAccess(): ClavigerError {
  return new ClavigerError('denied', 'Neither a share nor a live grant lets you see this secret.', {
    hint: 'Request access with POST /api/v1/requests.',
  });
}

/** Throws if the row is a refusal. */
function throwIfRefused(row: Verdict | undefined, request: DisclosureRequest): Verdict | OneTimeOnly {
  if (!row) throw ClavigerError.notFound();
  const oneTimeGrantId = request.version === undefined ? row.one_time_grant_id : null;
  if (!row.basis && !oneTimeGrantId) {
    if (row.withheld) throw unproven('denied', 'This account');
    throw noAccess();
  }
  if (row.requires_reason && request.reason.trim() === '') {
    throw ClavigerError.invalid('/reason', 'is required for this entry');
  }
  if (!row.basis) return { kind: 'one-time', grantId: oneTimeGrantId! };
  if (!row.has_version) throw ClavigerError.notFound();
  return row;
}

function eventOf(
  emitter: Emitter,
  context: CallContext,
  request: DisclosureRequest,
  expected: PredictedFacts,
) {
  return emitter.auditRow(context, {
    subject: {
      type: 'entry',
      id: request.entryId,
      ...(expected.assetId ? { resourceId: expected.assetId } : {}),
    },
    reason: request.reason,
    details: {
      version: expected.version,
      basis: expected.basis,
      ...(expected.grantId ? { grantId: expected.grantId } : {}),
      ...(request.ticket ? { ticket: request.ticket } : {}),
    },
  });
}

async function decide(
  database: Database<VaultSchema>,
  context: CallContext,
  request: DisclosureRequest,
  expected: PredictedFacts | undefined,
  row: OutboxRow | undefined,
): Promise<Verdict | undefined> {
  const { actor } = context;
  try {
    await failpoint('vault.retrieve.before_record');
    const statement = CompiledQuery.raw(disclosureStatement, [
      request.entryId,
      actor.userId,
      permits(actor.permissions, 'vault.entries.retrieve-any'),
      request.version ?? null,
      request.reason.trim() !== '',
      expected?.version ?? null,
      expected?.assetId ?? null,
      expected?.basis ?? null,
      expected?.grantId ?? null,
      row?.event_id ?? null,
      row?.subject ?? null,
      row?.payload ?? null,
      row?.mac ?? null,
      row?.traceparent ?? null,
      actor.userName,
    ]);
    if (context.idempotentCall) return await decideOnce(database, context, request, statement);
    const orderKey = `${request.entryId} ${actor.userId}`;
    const result = await database.groupCommit(context.tenantId, statement, orderKey);
    return result.rows[0] as Verdict | undefined;
  } catch (cause) {
    throw auditUnavailable(cause);
  }
}

/** As `decide`, in a transaction of its own, which also claims the call's idempotency key. */
function decideOnce(
  database: Database<VaultSchema>,
  context: CallContext,
  request: DisclosureRequest,
  statement: CompiledQuery,
): Promise<Verdict | undefined> {
  return database.withTenant(context.tenantId, async (tx) => {
    const { rows } = await tx.getExecutor().executeQuery<Verdict>(statement as CompiledQuery<Verdict>);
    const [verdict] = rows;
    if (verdict?.recorded) await claimKey(tx, context, { type: 'entry', id: request.entryId });
    return verdict;
  });
}

/** Also thrown when the result of the commit is unknown: the event may exist, and nothing was disclosed. */
export function auditUnavailable(cause: unknown): ClavigerError {
  return new ClavigerError(
    'audit_unavailable',
    'The disclosure cannot be recorded, so nothing was disclosed.',
    {
      cause,
      retryAfterSeconds: 1,
    },
  );
}
