import type { JobDefinition } from '@claviger/jobs';
import { z } from 'zod';

/** Notifies a worker of a job. The table of key jobs is the durable queue, which the sweep reads as well. */
export const runKeyJob: JobDefinition<{ jobId: string }> = {
  queue: 'vault.run-key-job',
  payload: z.strictObject({ jobId: z.uuid() }),
  attempts: 1,
  backoffMs: 1_000,
  concurrency: 1,
};
