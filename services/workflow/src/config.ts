import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  /** Verifies actor tokens. */
  actorTokenPublicKeyFile: z.string(),
  /** Time between two sweeps for expiries and for changes that the vault has not confirmed. */
  sweepIntervalMs: z.number().int().min(50).max(60_000).default(1_000),
  assistant: z
    .strictObject({
      /** Networks besides public addresses in which a provider is allowed, e.g. 10.20.0.0/16. */
      allowedCidrs: z.array(z.string()).max(100).default([]),
    })
    .prefault({}),
});

export type WorkflowConfig = z.infer<typeof configSchema>;
