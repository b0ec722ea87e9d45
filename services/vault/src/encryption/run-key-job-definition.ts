import type { JobDefinition } from '@claviger/jobs';
import { z } from 'zod';

/** Wakes a worker at once; the durable queue is the table of key jobs, which the sweep also looks through. */
export const runKeyJob: JobDefinition<{ jobId: string }> = {
  queue: 'vault.run-key-job',
  payload: z.strictObject({ jobId: z.uuid() }),
  attempts: 1,
  backoffMs: 1_000,
  concurrency: 1,
};
