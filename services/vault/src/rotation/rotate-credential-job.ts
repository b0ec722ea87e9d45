import type { JobDefinition } from '@claviger/jobs';
import { z } from 'zod';

/**
 * Notifies a worker of a rotation. The table of rotations is the durable queue: the sweep finds rotations
 * whose job was lost, and starts all later attempts.
 */
export const rotateCredentialJob: JobDefinition<{ rotationId: string }> = {
  queue: 'vault.rotate-credential',
  payload: z.strictObject({ rotationId: z.uuid() }),
  attempts: 1,
  backoffMs: 1_000,
  concurrency: 4,
};
