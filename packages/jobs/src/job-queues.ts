import { timingSafeEqual } from 'node:crypto';
import { macKeyOf, type OutboxMessage, outboxMac, type Publisher } from '@claviger/events';
import { inSpan, type Logger, SpanKind } from '@claviger/service-kit';
import { type ConnectionOptions, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { JobContext, JobDefinition, JobEnvelope } from './job-definition.ts';

export interface JobQueuesOptions {
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  readonly macKey: Buffer;
  readonly logger: Logger;
}

export interface JobQueues extends AsyncDisposable {
  /** For the relay: takes `job.*` rows over into their queues, with the row's event id as job id. */
  readonly publisher: Publisher;
  /** Runs the jobs of one definition in this process. */
  work<P>(definition: JobDefinition<P>, handle: (payload: P, context: JobContext) => Promise<void>): void;
}

const PREFIX = 'claviger';
const KEEP_FINISHED_SECONDS = 3_600;
const KEEP_FAILED_SECONDS = 7 * 24 * 3_600;
const STALLED_AFTER_MS = 30_000;

/** BullMQ gives speed and retries; the durable list of what is due stays in PostgreSQL, with whoever owns the duty. */
export function createJobQueues(
  options: JobQueuesOptions,
  definitions: readonly JobDefinition<never>[],
): JobQueues {
  const connection: ConnectionOptions = {
    ...options.redis,
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
  };
  const key = macKeyOf(options.macKey);
  const queues = new Map<string, { queue: Queue<JobEnvelope>; definition: JobDefinition<never> }>();
  const workers: Worker<JobEnvelope>[] = [];
  const stop = new AbortController();
  for (const definition of definitions) {
    if (queues.has(definition.queue)) throw new Error(`Two jobs are called ${definition.queue}.`);
    const queue = new Queue<JobEnvelope>(definition.queue, {
      // Without a server an add must fail at once, so that the outbox keeps the row.
      connection: { ...options.redis, maxRetriesPerRequest: 1, enableOfflineQueue: false },
      prefix: PREFIX,
    });
    queue.on('error', () => {});
    queues.set(definition.queue, { queue, definition });
  }
  return {
    publisher: async (messages) => {
      for (const [subject, group] of Map.groupBy(messages, (message) => message.subject)) {
        const found = queues.get(subject.slice('job.'.length));
        if (!found) throw new Error(`No job is called ${subject}.`);
        await found.queue.addBulk(group.map((message) => bulkJob(message, found.definition)));
      }
    },
    work: (definition, handle) => {
      const worker = new Worker<JobEnvelope>(
        definition.queue,
        async (job) => {
          const { tenantId, payload, mac, traceparent } = job.data;
          const expected = outboxMac(key, `job.${definition.queue}`, payload);
          const given = Buffer.from(mac, 'base64url');
          if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
            throw new UnrecoverableError('The job is not as this service queued it: refused.');
          }
          const parsed = definition.payload.safeParse(JSON.parse(payload));
          if (!parsed.success) throw new UnrecoverableError('The payload of the job is not valid.');
          const context: JobContext = { tenantId, jobId: job.id!, signal: stop.signal };
          await inSpan(`${definition.queue} process`, { kind: SpanKind.CONSUMER, parent: traceparent }, () =>
            handle(parsed.data, context),
          );
        },
        {
          connection,
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
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all([...queues.values()].map(({ queue }) => queue.close()));
    },
  };
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
