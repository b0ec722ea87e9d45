import type { JobDefinition } from '@claviger/jobs';
import { z } from 'zod';

/**
 * Wakes a worker, which makes all due reports one after the other, not only the named one. The table of
 * reports is the durable queue: the sweep makes reports whose job was lost, and makes all later attempts.
 */
export const buildReportJob: JobDefinition<{ reportId: string }> = {
  queue: 'audit.build-compliance-report',
  payload: z.strictObject({ reportId: z.uuid() }),
  attempts: 1,
  backoffMs: 1_000,
  concurrency: 1,
};
