import type { JobDefinition } from '@claviger/jobs';
import { z } from 'zod';

/**
 * Wakes a worker at once, which makes whatever is due, in turns: not only the report that the job names. The
 * durable queue is the table of reports: what this job misses, the sweep finds, which also makes every later
 * attempt.
 */
export const buildReportJob: JobDefinition<{ reportId: string }> = {
  queue: 'audit.build-compliance-report',
  payload: z.strictObject({ reportId: z.uuid() }),
  attempts: 1,
  backoffMs: 1_000,
  concurrency: 1,
};
