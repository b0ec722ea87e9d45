import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

export const SUBJECT_PREFIX = 'claviger.';
export const AUDIT_STREAM = 'CLAVIGER_AUDIT';
export const EVENT_STREAM = 'CLAVIGER_EVENTS';

const SECOND_NS = 1_000_000_000;
const MANAGE_TIMEOUT_MS = 2_000;

type OwnConfig = Pick<StreamConfig, 'name' | 'subjects' | 'retention' | 'discard' | 'max_age' | 'max_bytes'>;

/**
 * Keeps audit events until they are consumed, without an age limit. A full stream refuses new events, which
 * stay in the outbox; it never drops old ones.
 */
const auditStream: OwnConfig = {
  name: AUDIT_STREAM,
  subjects: [`${SUBJECT_PREFIX}audit.>`],
  retention: RetentionPolicy.Workqueue,
  discard: DiscardPolicy.New,
  max_age: 0,
  max_bytes: 256 * 2 ** 20,
};

/** Keeps the newest announcements. */
const eventStream: OwnConfig = {
  name: EVENT_STREAM,
  subjects: [`${SUBJECT_PREFIX}event.>`],
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  max_age: 7 * 24 * 3_600 * SECOND_NS,
  max_bytes: 256 * 2 ** 20,
};

/** The stream of a subject such as `audit.>`. */
export function streamOf(subject: string): string {
  return subject.startsWith('audit.') ? AUDIT_STREAM : EVENT_STREAM;
}

/**
 * Creates the streams, or updates their limits. Only audit (and an operator) has permission; other services
 * only need them to exist. The event stream of an older release is updated first, because a subject can
 * belong to one stream only.
 */
export async function ensureStreams(nc: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nc, { timeout: MANAGE_TIMEOUT_MS });
  for (const config of [eventStream, auditStream]) await ensureStream(manager, config);
}

async function ensureStream(manager: JetStreamManager, own: OwnConfig): Promise<void> {
  const found = await manager.streams.info(own.name).catch(() => undefined);
  const config = {
    ...own,
    storage: StorageType.File,
    duplicate_window: 600 * SECOND_NS,
    deny_delete: true,
    deny_purge: true,
  };
  if (found === undefined) {
    await manager.streams.add(config).catch((cause: Error) => {
      if (!isForbidden(cause)) throw cause;
      // Expected at a first start while audit is still starting; the log shows no stack.
      throw new Error(
        `The stream ${own.name} does not exist yet: the audit service creates it at its start. Check that it runs.`,
      );
    });
  } else if (differs(found.config, own)) {
    await manager.streams.update(own.name, config).catch((cause: Error) => {
      if (!isForbidden(cause)) throw cause;
    });
  }
}

function differs(found: StreamConfig, own: OwnConfig): boolean {
  return (
    found.subjects.join() !== own.subjects.join() ||
    found.discard !== own.discard ||
    found.max_age !== own.max_age ||
    found.max_bytes !== own.max_bytes
  );
}

function isForbidden(error: Error): boolean {
  return /Permissions Violation/i.test(error.message);
}
