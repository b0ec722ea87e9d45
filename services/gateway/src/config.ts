import { baseConfigSchema } from '@claviger/service-kit';
import { z } from 'zod';

export const configSchema = z
  .strictObject({
    ...baseConfigSchema.shape,
    http: z.strictObject({
      listen: z.string().regex(/^.+:\d{1,5}$/, 'must be host:port'),
      certFile: z.string(),
      keyFile: z.string(),
      publicUrl: z.url(),
    }),
    rateLimits: z.enum(['on', 'off']).default('on'),
    /** Gateways that share the load: each takes its share of the limits while Redis is away. */
    replicas: z.number().int().min(1).max(100).default(1),
    accessTokenPublicKeyFile: z.string(),
  })
  .refine((config) => config.rateLimits === 'on' || config.environment !== 'production', {
    path: ['rateLimits'],
    message: '"off" is for measurements: a production configuration must say "on"',
  });

export type GatewayConfig = z.infer<typeof configSchema>;
