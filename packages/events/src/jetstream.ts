import { randomUUID } from 'node:crypto';
import type { Logger } from '@claviger/service-kit';
import { inSpans, SpanKind } from '@claviger/service-kit';
import {
  AckPolicy,
  type ConsumerMessages,
  JetStreamApiError,
  type JetStreamClient,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { gather } from './gather.ts';
import { type Arrival, type OutboxMessage, type Publisher, RefusedMessages } from './publisher.ts';
import { AUDIT_STREAM, EVENT_STREAM, ensureStreams, SUBJECT_PREFIX, streamOf } from './streams.ts';

const ACK_WAIT_NS = 60 * 1_000_000_000;
/** How long one pull request lasts; the server sends two heartbeats in that time. */
const PULL_MS = 5_000;
/** Messages that arrive within this time share a batch. */
const LINGER_MS = 20;
const PUBLISH_TIMEOUT_MS = 5_000;
const MANAGE_TIMEOUT_MS = 2_000;
/** Space for subject and headers within the server's maximum payload. */
const HEADER_ROOM_BYTES = 4_096;
const HEADER = { tenant: 'Claviger-Tenant', mac: 'Claviger-Mac', traceparent: 'traceparent' };

/**
 * Separates the event id from a random suffix in the message id of a republished message; the stream drops
 * known ids.
 */
const AGAIN = '#';

export interface Bus extends AsyncDisposable {
  /** For `event.*`. */
  readonly publisher: Publisher;
  /** For `audit.*`. `missing` asks the audit service. */
  auditPublisher(missing: Arrival['missing']): Publisher;
  /** Throws when the server is unreachable. */
  ping(): Promise<void>;
  /**
   * Handles messages in batches, at least once: acknowledged after `handle` resolves, redelivered when it
   * throws. `handle` must be idempotent by event id, in one transaction.
   */
  consume(options: {
    durable: string;
    /** May end in `.>`. A single subject: NATS before 2.10 does not support a list. */
    subject: string;
    batch: number;
    handle: (messages: readonly OutboxMessage[]) => Promise<void>;
  }): AsyncDisposable;
  /** The newest message of each subject under `prefix`, e.g. `event.tree-head`. */
  newest(prefix: string): AsyncIterable<Pick<OutboxMessage, 'subject' | 'payload'>>;
}

/**
 * Connects in the background and retries without limit. While the server is away, events wait in the outbox.
 * The streams are copies; the outbox and the consumers' tables are authoritative.
 */
export function createBus(options: {
  url: string;
  user: string;
  password: string;
  name: string;
  logger: Logger;
}): Bus {
  let connection: Promise<NatsConnection> | undefined;
  let closed = false;

  const connected = (): Promise<NatsConnection> => {
    connection ??= connect({
      servers: options.url,
      user: options.user,
      pass: options.password,
      name: options.name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      timeout: 2_000,
      // A server that restarts before its users are configured must not end the connection for good.
      ignoreAuthErrorAbort: true,
    }).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
  let stream: Promise<JetStreamClient> | undefined;
  const client = (): Promise<JetStreamClient> => {
    stream ??= connected()
      .then(async (nc) => {
        await ensureStreams(nc);
        return jetstream(nc, { timeout: PUBLISH_TIMEOUT_MS });
      })
      .catch((error: unknown) => {
        stream = undefined;
        throw error;
      });
    return stream;
  };

  const publish: Publisher = async (messages, { again = false } = {}) => {
    const nc = await connected();
    const js = await client();
    const room = (nc.info?.max_payload ?? Number.POSITIVE_INFINITY) - HEADER_ROOM_BYTES;
    const refused = new Map<string, string>();
    try {
      await Promise.all(
        messages.map(async (message) => {
          if (Buffer.byteLength(message.payload) > room) {
            refused.set(message.eventId, `exceeds the bus limit of ${room} bytes`);
            return;
          }
          const sent = headers();
          sent.set(HEADER.tenant, message.tenantId);
          sent.set(HEADER.mac, message.mac.toString('base64url'));
          if (message.traceparent) sent.set(HEADER.traceparent, message.traceparent);
          await js.publish(SUBJECT_PREFIX + message.subject, message.payload, {
            msgID: again ? `${message.eventId}${AGAIN}${randomUUID()}` : message.eventId,
            headers: sent,
          });
        }),
      );
    } catch (error) {
      // The server may have restarted with empty storage: check the streams again.
      stream = undefined;
      if (!isFull(error)) throw error;
      throw new Error(
        'The stream on NATS is full: events wait in the outbox until the audit service has consumed some. Check that it runs.',
        { cause: error },
      );
    }
    if (refused.size > 0) throw new RefusedMessages(refused);
  };

  /** Reads the state of a stream. After a failure, the streams are checked again. */
  const streamInfo = async (name: string): Promise<StreamInfo> => {
    await client();
    try {
      const manager = await jetstreamManager(await connected(), { timeout: MANAGE_TIMEOUT_MS });
      return await manager.streams.info(name);
    } catch (error) {
      stream = undefined;
      throw error;
    }
  };

  return {
    publisher: Object.assign(publish.bind(undefined), {
      storeCreatedAt: async () => new Date((await streamInfo(EVENT_STREAM)).created),
    }),
    auditPublisher: (missing) =>
      Object.assign(publish.bind(undefined), {
        arrival: {
          missing,
          // The work queue removes consumed messages.
          isDrained: async () => (await streamInfo(AUDIT_STREAM)).state.messages === 0,
        },
      }),
    ping: async () => {
      const nc = await connected();
      if (nc.isClosed()) throw new Error('the connection to NATS is closed');
      await nc.flush();
    },
    newest: async function* (prefix) {
      await client();
      const manager = await jetstreamManager(await connected(), { timeout: MANAGE_TIMEOUT_MS });
      const { state } = await manager.streams.info(EVENT_STREAM, {
        subjects_filter: `${SUBJECT_PREFIX}${prefix}.>`,
      });
      for (const subject of Object.keys(state.subjects ?? {})) {
        const message = await manager.streams.getMessage(EVENT_STREAM, { last_by_subj: subject });
        if (message) yield { subject: subject.slice(SUBJECT_PREFIX.length), payload: message.string() };
      }
    },
    consume: ({ durable, subject, batch, handle }) => {
      let stopping = false;
      let running: ConsumerMessages | undefined;
      const one = async (messages: readonly JsMsg[]): Promise<void> => {
        const decoded = messages.map(outboxMessageOf);
        try {
          await inSpans(
            `${durable} process`,
            SpanKind.CONSUMER,
            decoded.map((message) => message.traceparent),
            () => handle(decoded),
          );
        } catch (error) {
          for (const message of messages) message.nak(1_000);
          throw error;
        }
        await Promise.all(messages.map((message) => message.ackAck()));
      };
      const loop = (async () => {
        let failures = 0;
        const failed = async (error: unknown): Promise<void> => {
          failures += 1;
          if (failures === 1 || failures % 50 === 0) {
            options.logger.warn(
              { err: error, durable },
              'cannot consume events; they wait in the stream and are tried again',
            );
          }
          if (!stopping) await new Promise((resolve) => setTimeout(resolve, Math.min(200 * failures, 2_000)));
        };
        while (!stopping) {
          try {
            const js = await client();
            await ensureConsumer(await connected(), durable, subject);
            const consumer = await js.consumers.get(streamOf(subject), durable);
            // One long subscription instead of fetches: a fetch that ends while messages are in transit,
            // e.g. on a busy machine, would leave them waiting for the acknowledgement time-out.
            running = await consumer.consume({
              max_messages: batch,
              expires: PULL_MS,
              abort_on_missing_resource: true,
            });
            if (stopping) running.stop();
            for await (const messages of gather(running[Symbol.asyncIterator](), batch, LINGER_MS)) {
              if (stopping) {
                // Return the messages at once, so that another replica need not wait for the acknowledgement
                // time-out.
                for (const message of messages) message.nak();
                continue;
              }
              try {
                await one(messages);
                failures = 0;
              } catch (error) {
                // Keep the subscription: its buffered messages would otherwise wait for the acknowledgement
                // time-out.
                await failed(error);
              }
            }
          } catch (error) {
            running?.stop();
            stream = undefined;
            await failed(error);
          }
        }
      })();
      return {
        [Symbol.asyncDispose]: async () => {
          stopping = true;
          running?.stop();
          await loop;
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      const nc = await connection?.catch(() => undefined);
      if (nc && closed) await nc.close();
    },
  };
}

function outboxMessageOf(message: JsMsg): OutboxMessage {
  return {
    tenantId: message.headers?.get(HEADER.tenant) ?? '',
    eventId: message.headers?.get('Nats-Msg-Id').split(AGAIN)[0] ?? '',
    subject: message.subject.slice(SUBJECT_PREFIX.length),
    payload: message.string(),
    mac: Buffer.from(message.headers?.get(HEADER.mac) ?? '', 'base64url'),
    traceparent: message.headers?.get(HEADER.traceparent) || undefined,
  };
}

async function ensureConsumer(nc: NatsConnection, durable: string, subject: string): Promise<void> {
  const manager = await jetstreamManager(nc, { timeout: MANAGE_TIMEOUT_MS });
  await manager.consumers.add(streamOf(subject), {
    durable_name: durable,
    filter_subject: SUBJECT_PREFIX + subject,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_NS,
    max_ack_pending: 5_000,
  });
}

/** JetStream's error code for a stream that has reached `max_bytes`. */
const MAXIMUM_BYTES_EXCEEDED = 10_077;

function isFull(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === MAXIMUM_BYTES_EXCEEDED;
}
