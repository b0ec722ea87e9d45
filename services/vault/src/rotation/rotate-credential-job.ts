import type { JobDefinition } from '@claviger/jobs';
import { z } from 'zod';

/**
 * Wakes a worker for a rotation at once. The durable queue is the table of rotations: what this job misses, the sweep finds,
 * which also makes every later attempt.
 */
export const rotateCredentialJob: JobDefinition<{ rotationId: string }> = {
  queue: 'vault.rotate-credential',
  payload: z.strictObject({ rotationId: z.uuid() }),
  attempts: 1,
  backoffMs: 1_000,
  concurrency: 4,
};
