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

/** What a connection to something that a user named may never reach, and what it may reach beside the outside world. */
const outboundConfigSchema = z.strictObject({
  /** `host:port` of all servers of the installation; those of this file are added. Nobody reaches them through a service. */
  ownServers: z
    .array(z.string().regex(/^.+:\d{1,5}$/, 'must be host:port'))
    .max(1_000)
    .default([]),
  /** The operator's file of opened targets: one `HOST:PORT` a line. It is read again when it has changed. */
  openTargetsFile: z.string().optional(),
});

/** Keys that every service with state has. */
export const storeConfigSchema = z.strictObject({
  ...baseConfigSchema.shape,
  database: databaseConfigSchema,
  outbound: outboundConfigSchema.prefault({}),
  /** Proves to the audit service that this service wrote its events. */
  outboxMacKeyFile: z.string(),
});

export type StoreConfig = z.infer<typeof storeConfigSchema>;
