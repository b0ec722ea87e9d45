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
/** How long one request for messages stands; twice in that time the server shows that it is there. */
const PULL_MS = 5_000;
/** Messages that come within this time share a batch. */
const LINGER_MS = 20;
const PUBLISH_TIMEOUT_MS = 5_000;
const MANAGE_TIMEOUT_MS = 2_000;
/** Room for subject and headers within the server's largest message. */
const HEADER_ROOM_BYTES = 4_096;
const HEADER = { tenant: 'Claviger-Tenant', mac: 'Claviger-Mac', traceparent: 'traceparent' };

/** Ends the event id in the message id of a message that is sent again: the stream would drop a known message id. */
const AGAIN = '#';

export interface Bus extends AsyncDisposable {
  /** For `event.*`. */
  readonly publisher: Publisher;
  /** For `audit.*`; `missing` asks the audit service. */
  auditPublisher(missing: Arrival['missing']): Publisher;
  /** Throws when the server cannot be reached. */
  ping(): Promise<void>;
  /**
   * Handles messages in batches, at least once: acknowledged only after `handle` resolved, given again when it threw.
   * `handle` keeps its effect idempotent by event id, in one transaction.
   */
  consume(options: {
    durable: string;
    /** May end in `.>`. One only: NATS before 2.10 knows no list. */
    subject: string;
    batch: number;
    handle: (messages: readonly OutboxMessage[]) => Promise<void>;
  }): AsyncDisposable;
  /** The newest message that the stream keeps of each subject under `prefix`, e.g. `event.tree-head`. */
  newest(prefix: string): AsyncIterable<Pick<OutboxMessage, 'subject' | 'payload'>>;
}

/**
 * Connects in the background and for ever: a missing server delays events, which wait in the outbox, and stops nobody.
 * The stream is a copy; the outbox and the consumers' tables are the truth.
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
      // A server that comes back before its users are known must not end the connection for good.
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
            refused.set(message.eventId, `is larger than the ${room} bytes that the bus takes`);
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
      // The server may have come back with empty storage: look for the streams again.
      stream = undefined;
      if (!isFull(error)) throw error;
      throw new Error(
        'The stream on NATS is full: events wait in the outbox until the audit service has taken what is there. See that it runs.',
        { cause: error },
      );
    }
    if (refused.size > 0) throw new RefusedMessages(refused);
  };

  /** Asks the server about a stream; when it fails, the streams are looked for again. */
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
          // What its consumer has taken, the stream does not keep.
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
              'events cannot be consumed; they wait, and it tries again',
            );
          }
          if (!stopping) await new Promise((resolve) => setTimeout(resolve, Math.min(200 * failures, 2_000)));
        };
        while (!stopping) {
          try {
            const js = await client();
            await ensureConsumer(await connected(), durable, subject);
            const consumer = await js.consumers.get(streamOf(subject), durable);
            // One subscription as long as it goes well. A fetch that gives up while messages are on their way to it, as on a
            // machine that is busy for a second, would leave them to the acknowledgement wait.
            running = await consumer.consume({
              max_messages: batch,
              expires: PULL_MS,
              abort_on_missing_resource: true,
            });
            if (stopping) running.stop();
            for await (const messages of gather(running[Symbol.asyncIterator](), batch, LINGER_MS)) {
              if (stopping) {
                // Somebody else may have them now, not only when the wait is over.
                for (const message of messages) message.nak();
                continue;
              }
              try {
                await one(messages);
                failures = 0;
              } catch (error) {
                // The subscription stays: it holds messages that would wait for long if it were given up.
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

/** JetStream's answer where a stream has as many bytes as it may have. */
const MAXIMUM_BYTES_EXCEEDED = 10_077;

function isFull(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === MAXIMUM_BYTES_EXCEEDED;
}
