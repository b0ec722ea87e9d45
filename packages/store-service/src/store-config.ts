import { baseConfigSchema } from '@claviger/service-kit';
import { z } from 'zod';

const databaseConfigSchema = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  name: z.string(),
  schema: z.string(),
  user: z.string(),
  passwordFile: z.string(),
  /** Reads due work of all tenants; sees nothing else. */
  systemUser: z.string(),
  systemPasswordFile: z.string(),
  /** Owns the schema; used only to migrate. */
  ownerUser: z.string(),
  ownerPasswordFile: z.string(),
  poolSize: z.number().int().min(2).max(100).default(16),
});

/** Addresses that outbound connections may never reach, and internal ones that they may reach. */
const outboundConfigSchema = z.strictObject({
  /**
   * `host:port` of all servers of the installation; those of this file are added. Outbound connections to
   * them are refused.
   */
  ownServers: z
    .array(z.string().regex(/^.+:\d{1,5}$/, 'must be host:port'))
    .max(1_000)
    .default([]),
  /**
   * The operator's file of allowed internal targets, one `HOST:PORT` per line. It is read again when it
   * changes.
   */
  openTargetsFile: z.string().optional(),
});

/** Keys of every service with state. */
export const storeConfigSchema = z.strictObject({
  ...baseConfigSchema.shape,
  database: databaseConfigSchema,
  outbound: outboundConfigSchema.prefault({}),
  /** Proves to the audit service that this service wrote its events. */
  outboxMacKeyFile: z.string(),
});

export type StoreConfig = z.infer<typeof storeConfigSchema>;
