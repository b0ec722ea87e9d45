import { createHmac, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import { AccessLevel } from '@claviger/contracts';
import type { Database, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { claimKey } from '@claviger/idempotency';
import { type CallContext, currentTraceparent, type RecordOutcome } from '@claviger/service-kit';
import {
  type AuditEvent,
  type AuditInput,
  auditEventOf,
  type CanonicalEvent,
  canonicalEvent,
} from './audit-event.ts';
import type { OutboxSchema } from './schema.ts';

export interface OutboxRow {
  tenant_id: string;
  event_id: string;
  subject: string;
  payload: string;
  mac: Buffer;
  traceparent: string | null;
}

/** Writes the outbox rows of one service, always in the transaction of the effect. */
export interface Emitter {
  /** Records the success of a call and marks the call as audited. */
  audit<DB extends OutboxSchema>(
    tx: Tx<DB>,
    context: CallContext,
    input: Omit<AuditInput, 'service' | 'context' | 'outcome'> & { outcome?: AuditInput['outcome'] },
  ): Promise<CanonicalEvent>;
  /** The same as a row, for a transaction that is sent in a single round trip. */
  auditRow(
    context: CallContext,
    input: Omit<AuditInput, 'service' | 'context' | 'outcome'>,
  ): { row: OutboxRow; sealed: CanonicalEvent };
  /** Records what a duty did. */
  auditDuty<DB extends OutboxSchema>(
    tx: Tx<DB>,
    event: Omit<
      AuditEvent,
      'v' | 'id' | 'service' | 'occurredAt' | 'sourceAddress' | 'actorId' | 'actorName' | 'actorKind'
    >,
  ): Promise<CanonicalEvent>;
  /**
   * Records a repetition of an earlier event of this service: same call, actor and subject, with these
   * details.
   */
  auditAgain<DB extends OutboxSchema>(
    tx: Tx<DB>,
    former: AuditEvent,
    details: Record<string, unknown>,
  ): Promise<CanonicalEvent>;
  /** Queues a job. It reaches the queue after the commit, at least once, with `eventId` as its job id. */
  job<DB extends OutboxSchema>(tx: Tx<DB>, tenantId: string, queue: string, payload: object): Promise<string>;
  /** Publishes `event.<name>`. It reaches the bus after the commit, at least once. Returns the event id. */
  event<DB extends OutboxSchema>(
    tx: Tx<DB>,
    tenantId: string,
    name: string,
    payload: object,
  ): Promise<string>;
}

/** `macKey` is the service's own key, with which consumers verify that this service wrote the events. */
export function createEmitter(options: {
  service: string;
  macKey: Buffer;
  /** Hears the first part of the subject of each row that is made here: `audit`, `event` or `job`. */
  onRow?: (kind: string) => void;
}): Emitter {
  const key = macKeyOf(options.macKey);
  const rowOf = (tenantId: string, eventId: string, subject: string, payload: string): OutboxRow => {
    options.onRow?.(subject.slice(0, subject.indexOf('.')));
    return {
      tenant_id: tenantId,
      event_id: eventId,
      subject,
      payload,
      mac: subject.startsWith('audit.')
        ? outboxMac(key, subject, payload)
        : boundMac(key, { tenantId, eventId, subject, payload }),
      traceparent: currentTraceparent() ?? null,
    };
  };
  const insert = async <DB extends OutboxSchema>(tx: Tx<DB>, row: OutboxRow): Promise<void> => {
    try {
      await (tx as unknown as Tx<OutboxSchema>).insertInto('outbox').values(row).execute();
    } catch (cause) {
      throw new ClavigerError(
        'audit_unavailable',
        'The audit event cannot be written; nothing was changed.',
        {
          cause,
          retryAfterSeconds: 1,
        },
      );
    }
  };
  const auditRow: Emitter['auditRow'] = (context, input) => {
    const sealed = auditEventOf({ ...input, context, service: options.service, outcome: 'allowed' });
    context.audited = true;
    return {
      sealed,
      row: rowOf(sealed.event.tenantId, sealed.event.id, `audit.${options.service}`, sealed.canonical),
    };
  };
  return {
    auditRow,
    audit: async (tx, context, input) => {
      if ((input.outcome ?? 'allowed') === 'allowed') requireCheckedAccess(context);
      const sealed = auditEventOf({
        ...input,
        ...(input.details && context.accessBasis
          ? { details: { basis: context.accessBasis, ...input.details } }
          : {}),
        context,
        service: options.service,
        outcome: input.outcome ?? 'allowed',
      });
      await insert(
        tx,
        rowOf(sealed.event.tenantId, sealed.event.id, `audit.${options.service}`, sealed.canonical),
      );
      await claimKey(tx, context, input.subject ?? context.auditSubject);
      context.audited = true;
      return sealed;
    },
    auditDuty: async (tx, event) => {
      const sealed = canonicalEvent({
        ...event,
        v: 1,
        id: randomUUID(),
        actorId: '',
        actorName: options.service,
        actorKind: 'service',
        sourceAddress: '',
        service: options.service,
        occurredAt: new Date().toISOString(),
      });
      await insert(
        tx,
        rowOf(sealed.event.tenantId, sealed.event.id, `audit.${options.service}`, sealed.canonical),
      );
      return sealed;
    },
    auditAgain: async (tx, former, details) => {
      const sealed = canonicalEvent({
        ...former,
        id: randomUUID(),
        service: options.service,
        details,
        occurredAt: new Date().toISOString(),
      });
      await insert(
        tx,
        rowOf(sealed.event.tenantId, sealed.event.id, `audit.${options.service}`, sealed.canonical),
      );
      return sealed;
    },
    job: async (tx, tenantId, queue, payload) => {
      const eventId = randomUUID();
      await insert(tx, rowOf(tenantId, eventId, `job.${queue}`, JSON.stringify(payload)));
      return eventId;
    },
    event: async (tx, tenantId, name, payload) => {
      const eventId = randomUUID();
      await insert(tx, rowOf(tenantId, eventId, `event.${name}`, JSON.stringify(payload)));
      return eventId;
    },
  };
}

/**
 * An operation that requires access to an entry can neither be recorded nor committed before the access
 * check.
 */
function requireCheckedAccess({ method, accessBasis }: CallContext): void {
  if (method.policy!.access > AccessLevel.ACCESS_LEVEL_NONE && accessBasis === undefined) {
    throw new Error(`${method.path} did not check the access that its policy declares.`);
  }
}

/**
 * The MAC key from its bytes, or from hexadecimal text in its file. Writers and verifiers must use the same
 * key.
 */
export function macKeyOf(key: Buffer): KeyObject {
  const text = key.toString('latin1').trim();
  return createSecretKey(/^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : key);
}

/** HMAC-SHA-256 of subject and payload, for audit events, whose payload contains tenant and id. */
export function outboxMac(key: KeyObject, subject: string, payload: string): Buffer {
  return createHmac('sha256', key).update(subject).update('\n').update(payload).digest();
}

/**
 * HMAC-SHA-256 for jobs and `event.*` messages. It also covers tenant and id, so that neither can be replaced
 * or reused.
 */
export function boundMac(
  key: KeyObject,
  message: { tenantId: string; eventId: string; subject: string; payload: string },
): Buffer {
  return outboxMac(key, message.subject, `${message.tenantId}\n${message.eventId}\n${message.payload}`);
}

/** For the call pipeline: records a denial or failure in a transaction of its own. */
export function createOutcomeRecorder<DB extends OutboxSchema>(
  database: Database<DB>,
  emitter: Emitter,
): RecordOutcome {
  return async (context, { outcome, reason, request }) => {
    const tenantId = context.auditTenantId ?? context.tenantId;
    await database.withTenant(tenantId, (tx) => emitter.audit(tx, context, { outcome, reason, request }));
  };
}
