import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';
import { complianceConfigSchema } from './compliance/compliance-config.ts';

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  actorTokenPublicKeyFile: z.string(),
  /** Ed25519, PKCS#8 PEM: signs tree heads. */
  treeHeadKeyFile: z.string(),
  /** Ed25519, SPKI PEM: verifies the receipts that the vault signs. */
  receiptPublicKeyFile: z.string(),
  /**
   * File outside the database to which every tree head is appended. The owner of the database must not be
   * able to write to it.
   */
  headsFile: z.string(),
  /** The MAC key of each service, by service name. The MAC shows which service wrote an event. */
  outboxMacKeyFiles: z.record(z.string(), z.string()),
  sealing: z
    .strictObject({
      /** How often new events are sequenced. */
      intervalMs: z.number().int().min(20).max(1_000).default(500),
      /** Maximum number of events under one tree head. */
      batchSize: z.number().int().min(1).max(256).default(256),
      /** How often tree heads outside the database are compared with it. */
      compareHeadsMs: z.number().int().min(100).default(600_000),
      /** The service is degraded while an unsequenced event is older than this. */
      warnAfterMs: z.number().int().min(1_000).default(30_000),
    })
    .prefault({}),
  compliance: complianceConfigSchema,
  siem: z
    .strictObject({
      /** Networks, besides public addresses, in which SIEM destinations may be, e.g. 10.20.0.0/16. */
      allowedCidrs: z.array(z.string()).max(100).default([]),
    })
    .prefault({}),
});

export type AuditConfig = z.infer<typeof configSchema>;
