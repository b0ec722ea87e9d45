import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';
import { complianceConfigSchema } from './compliance/compliance-config.ts';

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  actorTokenPublicKeyFile: z.string(),
  /** Ed25519, PKCS#8 PEM: signs tree heads. */
  treeHeadKeyFile: z.string(),
  /** Ed25519, SPKI PEM: the vault signs receipts with the other half. */
  receiptPublicKeyFile: z.string(),
  /** Every tree head is appended here, outside the database. Keep it where the database's owner cannot write. */
  headsFile: z.string(),
  /** By service: the key under which each proves that an event is its own. */
  outboxMacKeyFiles: z.record(z.string(), z.string()),
  sealing: z
    .strictObject({
      /** How often new events are sealed. */
      intervalMs: z.number().int().min(20).max(1_000).default(500),
      /** At most so many events under one tree head. */
      batchSize: z.number().int().min(1).max(256).default(256),
      /** How often tree heads outside of the database are compared with it. */
      compareHeadsMs: z.number().int().min(100).default(600_000),
      /** Older unsealed events make the service degraded. */
      warnAfterMs: z.number().int().min(1_000).default(30_000),
    })
    .prefault({}),
  compliance: complianceConfigSchema,
  siem: z
    .strictObject({
      /** Networks besides public addresses in which SIEM targets may be, e.g. 10.20.0.0/16. */
      allowedCidrs: z.array(z.string()).max(100).default([]),
    })
    .prefault({}),
});

export type AuditConfig = z.infer<typeof configSchema>;
