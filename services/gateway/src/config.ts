import { baseConfigSchema } from '@claviger/service-kit';
import { z } from 'zod';

const cidr = z.union([z.cidrv4(), z.cidrv6()]);

export const configSchema = z
  .strictObject({
    ...baseConfigSchema.shape,
    http: z.strictObject({
      listen: z.string().regex(/^.+:\d{1,5}$/, 'must be host:port'),
      certFile: z.string(),
      keyFile: z.string(),
      publicUrl: z.url(),
      /** Further host names of this server, besides that of `publicUrl`. */
      hosts: z.array(z.string().min(1)).optional(),
      /** Proxies whose X-Forwarded-For and X-Forwarded-Host are trusted, e.g. `10.0.0.0/8`. */
      trustedProxies: z.array(cidr).optional(),
    }),
    rateLimits: z.enum(['on', 'off']).default('on'),
    limits: z
      .strictObject({
        standardBurst: z.number().int().min(1).max(100).default(100),
        tenantPerMinute: z.number().int().min(100).default(6_000),
        anonymousPerMinute: z.number().int().min(10).default(600),
        disclosuresPerMinute: z.number().int().min(1).default(60),
        disclosuresPerDay: z.number().int().min(1).default(500),
      })
      .prefault({}),
    /**
     * Number of gateways that share the load: each enforces its share of the limits while Redis is
     * unavailable.
     */
    replicas: z.number().int().min(1).max(100).default(1),
    accessTokenPublicKeyFile: z.string(),
  })
  .refine((config) => config.rateLimits === 'on' || config.environment !== 'production', {
    path: ['rateLimits'],
    message: '"off" is for measurements only: set "on" in production',
  });

export type GatewayConfig = z.infer<typeof configSchema>;
