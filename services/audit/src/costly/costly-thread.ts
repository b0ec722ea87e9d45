import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { isClavigerError } from '@claviger/errors';
// The whole packages would make a new thread take three times as long to start.
import { createLogger } from '@claviger/service-kit/logger';
import { createPace } from '@claviger/service-kit/pace';
import { openStoreDatabase } from '@claviger/store-service/store-database';
import { eventPage } from '../events/event-page.ts';
import { summaryOf } from '../events/summary-of.ts';
import { exportChunks } from '../exporting/export-chunks.ts';
import type { AuditSchema } from '../schema.ts';
import {
  AHEAD,
  type FromThread,
  type Job,
  type JobKind,
  type Jobs,
  type Problem,
  type ThreadData,
  type ToThread,
} from './messages.ts';

/**
 * Two connections for searches and summaries, which run at most two at a time; the exports of all tenants
 * share the others.
 */
const CONNECTIONS = 4;
const OPTIONS = { timeouts: { connectMs: 30_000 }, plansByValues: true };
/** Other calls have priority. On Linux, the priority applies to this thread alone. */
const LOW_PRIORITY = 5;

if (process.platform === 'linux') setPriority(LOW_PRIORITY);
const { config, treeHeadPublic } = workerData as ThreadData;
const logger = createLogger({ service: 'audit', node: config.node, level: config.logLevel });
const database = openStoreDatabase<AuditSchema>(
  { ...config, database: { ...config.database, poolSize: CONNECTIONS } },
  OPTIONS,
);
type Value = Jobs[JobKind]['value'];

const running = new Set<Promise<void>>();

async function* valuesOf(job: Job, signal: AbortSignal): AsyncGenerator<Value, void> {
  const { tenantId } = job;
  switch (job.kind) {
    case 'search':
      yield await eventPage(database, tenantId, job.request);
      return;
    case 'summary':
      yield await summaryOf(database, tenantId, job.request);
      return;
    case 'export':
      yield* exportChunks(
        { database, logger, treeHeadPublic, pace: createPace() },
        tenantId,
        job.request,
        signal,
      );
  }
}

/**
 * Sends the values of a job on its port, at most AHEAD values before the other side takes one. Closing the
 * port ends the job.
 */
async function serve(job: Job, port: MessagePort): Promise<void> {
  const gone = new AbortController();
  let room = AHEAD;
  let onChange = Promise.withResolvers<void>();
  port.once('close', () => {
    gone.abort();
    onChange.resolve();
  });
  port.on('message', () => {
    room += 1;
    onChange.resolve();
  });
  const answer = (message: FromThread): void => port.postMessage(message);
  try {
    for await (const value of valuesOf(job, gone.signal)) {
      while (room === 0 && !gone.signal.aborted) {
        onChange = Promise.withResolvers();
        await onChange.promise;
      }
      if (gone.signal.aborted) return;
      room -= 1;
      answer({ kind: 'value', value });
    }
    answer({ kind: 'done' });
  } catch (error) {
    answer({ kind: 'failed', problem: problemOf(error) });
  }
}

function problemOf(error: unknown): Problem {
  const cause = error instanceof Error ? error.stack : String(error);
  if (!isClavigerError(error))
    return { reason: undefined, message: 'A costly read failed.', options: { cause } };
  const { reason, message, code, fields, hint, retryAfterSeconds } = error;
  const options = {
    code,
    fields,
    cause,
    ...(hint && { hint }),
    ...(retryAfterSeconds && { retryAfterSeconds }),
  };
  return { reason, message, options };
}

parentPort!.on('message', async (message: ToThread) => {
  if (message !== 'stop') {
    const served = serve(message.job, message.port).finally(() => running.delete(served));
    running.add(served);
    return;
  }
  await Promise.all(running);
  await database.close();
  parentPort!.close();
});
