import { baseConfigSchema } from '@claviger/service-kit';
import { z } from 'zod';

const databaseConfigSchema = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  name: z.string(),
  schema: z.string(),
  user: z.string(),
  passwordFile: z.string(),
  /** Finds due work of all tenants; sees nothing else. */
  systemUser: z.string(),
  systemPasswordFile: z.string(),
  /** Owns the schema; used only to migrate. */
  ownerUser: z.string(),
  ownerPasswordFile: z.string(),
  poolSize: z.number().int().min(2).max(100).default(16),
});

/** Keys that every service with state has. */
export const storeConfigSchema = z.strictObject({
  ...baseConfigSchema.shape,
  database: databaseConfigSchema,
  /** Proves to the audit service that this service wrote its events. */
  outboxMacKeyFile: z.string(),
});

export type StoreConfig = z.infer<typeof storeConfigSchema>;
