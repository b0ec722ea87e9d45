import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  /** Verifies who acts. */
  actorTokenPublicKeyFile: z.string(),
  /** How often expiries and what the vault has yet to be told are looked for. */
  sweepIntervalMs: z.number().int().min(50).max(60_000).default(1_000),
  assistant: z
    .strictObject({
      /** Networks besides public addresses in which a provider may be, e.g. 10.20.0.0/16. */
      allowedCidrs: z.array(z.string()).max(100).default([]),
    })
    .prefault({}),
});

export type WorkflowConfig = z.infer<typeof configSchema>;
