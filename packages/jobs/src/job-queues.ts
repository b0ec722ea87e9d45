import { timingSafeEqual } from 'node:crypto';
import { boundMac, macKeyOf, type OutboxMessage, type Publisher, RefusedMessages } from '@claviger/events';
import { inSpan, type Logger, SpanKind } from '@claviger/service-kit';
import { type ConnectionOptions, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { JobContext, JobDefinition, JobEnvelope } from './job-definition.ts';

export interface JobQueuesOptions {
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  readonly macKey: Buffer;
  readonly logger: Logger;
  /** Throws while no job may run, e.g. on a restored database; the job is tried again later. */
  readonly refuse?: () => void;
}

export interface JobQueues extends AsyncDisposable {
  /** For the relay: adds `job.*` messages to their queues, with the event id as job id. */
  readonly publisher: Publisher;
  /** Runs the jobs of one definition in this process. */
  work<P>(definition: JobDefinition<P>, handle: (payload: P, context: JobContext) => Promise<void>): void;
}

const PREFIX = 'claviger';
const KEEP_FINISHED_SECONDS = 3_600;
const KEEP_FAILED_SECONDS = 7 * 24 * 3_600;
const STALLED_AFTER_MS = 30_000;
/** Constant, so that work continues within a second of the server's return, also after a long outage. */
const RECONNECT_MS = 1_000;
const CLOSE_TIMEOUT_MS = 5_000;

/** BullMQ provides speed and retries. The durable list of due work is in PostgreSQL. */
export function createJobQueues(
  options: JobQueuesOptions,
  definitions: readonly JobDefinition<never>[],
): JobQueues {
  const key = macKeyOf(options.macKey);
  const queues = new Map<string, { queue: Queue<JobEnvelope>; definition: JobDefinition<never> }>();
  const workers: Worker<JobEnvelope>[] = [];
  const stop = new AbortController();
  // No reconnects after the stop: they would keep the process alive.
  const retryStrategy = () => (stop.signal.aborted ? null : RECONNECT_MS);
  const server: ConnectionOptions = { ...options.redis, retryStrategy };
  const open = (definition: JobDefinition<never>): void => {
    const queue = new Queue<JobEnvelope>(definition.queue, {
      // Without a server, an add must fail at once, so that the outbox keeps the row.
      connection: { ...server, maxRetriesPerRequest: 1, enableOfflineQueue: false },
      prefix: PREFIX,
    });
    queue.on('error', () => {});
    queues.set(definition.queue, { queue, definition });
    // A queue whose first connection failed stays broken; replace it.
    queue.waitUntilReady().catch(() => {
      if (!stop.signal.aborted) setTimeout(() => !stop.signal.aborted && open(definition), RECONNECT_MS);
      void queue.close().catch(() => {});
    });
  };
  for (const definition of definitions) {
    if (queues.has(definition.queue)) throw new Error(`Two jobs have the name ${definition.queue}.`);
    open(definition);
  }
  return {
    publisher: async (messages) => {
      const refused = new Map<string, string>();
      for (const [subject, group] of Map.groupBy(messages, (message) => message.subject)) {
        const found = queues.get(subject.slice('job.'.length));
        if (found) await found.queue.addBulk(group.map((message) => bulkJob(message, found.definition)));
        else for (const { eventId } of group) refused.set(eventId, `no job has the name ${subject}`);
      }
      if (refused.size > 0) throw new RefusedMessages(refused);
    },
    work: (definition, handle) => {
      const worker = new Worker<JobEnvelope>(
        definition.queue,
        async (job) => {
          options.refuse?.();
          const { tenantId, payload, mac, traceparent } = job.data;
          const subject = `job.${definition.queue}`;
          const expected = boundMac(key, { tenantId, eventId: job.id ?? '', subject, payload });
          const given = Buffer.from(mac, 'base64url');
          if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
            throw new UnrecoverableError('The MAC of the job is not valid.');
          }
          const parsed = definition.payload.safeParse(JSON.parse(payload));
          if (!parsed.success) throw new UnrecoverableError('The payload of the job is not valid.');
          const context: JobContext = { tenantId, jobId: job.id!, signal: stop.signal };
          await inSpan(`${definition.queue} process`, { kind: SpanKind.CONSUMER, parent: traceparent }, () =>
            handle(parsed.data, context),
          );
        },
        {
          connection: { ...server, maxRetriesPerRequest: null, enableOfflineQueue: true },
          prefix: PREFIX,
          concurrency: definition.concurrency,
          stalledInterval: STALLED_AFTER_MS,
          lockDuration: STALLED_AFTER_MS,
        },
      );
      worker.on('error', (error) =>
        options.logger.debug({ err: error, queue: definition.queue }, 'job worker'),
      );
      worker.on('failed', (job, error) => {
        options.logger.warn({ err: error, queue: definition.queue, jobId: job?.id }, 'a job failed');
      });
      workers.push(worker);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      const running = [...workers, ...[...queues.values()].map(({ queue }) => queue)];
      // Running jobs see the signal and may finish. If Redis is down, close does not wait for it.
      await Promise.all(running.map((each) => closeInTime(each)));
    },
  };
}

async function closeInTime(each: Worker<JobEnvelope> | Queue<JobEnvelope>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), CLOSE_TIMEOUT_MS);
  });
  const closed = each.close().catch(() => {});
  if ((await Promise.race([closed, late])) === 'late') void each.disconnect().catch(() => {});
  clearTimeout(timer);
}

function bulkJob(message: OutboxMessage, definition: JobDefinition<never>) {
  return {
    name: definition.queue,
    data: {
      tenantId: message.tenantId,
      payload: message.payload,
      mac: message.mac.toString('base64url'),
      ...(message.traceparent ? { traceparent: message.traceparent } : {}),
    },
    opts: {
      jobId: message.eventId,
      attempts: definition.attempts,
      backoff: { type: 'exponential', delay: definition.backoffMs },
      removeOnComplete: { age: KEEP_FINISHED_SECONDS },
      removeOnFail: { age: KEEP_FAILED_SECONDS },
    },
  };
}
