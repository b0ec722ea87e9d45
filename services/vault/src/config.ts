import { MAX_WRAPS_PER_KEK, rootKeySchema } from '@claviger/keyring';
import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';

const seconds = z.number().positive().max(86_400);

/** Settings of rotations. The defaults are production values. */
const rotationSchema = z.strictObject({
  /** How long one worker holds a rotation before another may take it. Renewed while the worker runs. */
  leaseSeconds: seconds.default(60),
  /** Interval of the sweep for due rotations, which runs in addition to the job queue. */
  sweepIntervalSeconds: seconds.default(1),
  /** Delay after a change in doubt before logins determine which secret the target holds. */
  settleSeconds: z.number().min(0).max(3_600).default(30),
  /** First delay after an unreachable target. Doubles up to one hour. */
  backoffSeconds: seconds.default(30),
  /** Failed logins allowed per account and window, so that Claviger does not lock accounts. */
  probesPerWindow: z.number().int().min(1).max(10).default(2),
  probeWindowSeconds: seconds.default(1_800),
  /** Pending versions that a target may refuse in one day before the rotation fails. */
  maxRejectedPerDay: z.number().int().min(1).max(20).default(3),
  changeTimeoutMs: z.number().int().min(100).max(120_000).default(30_000),
  verifyTimeoutMs: z.number().int().min(100).max(60_000).default(10_000),
  /** Concurrent rotations in one process. */
  concurrency: z.number().int().min(1).max(50).default(4),
});

/** Settings of the rotation of KEKs. */
const encryptionSchema = z.strictObject({
  /** The active KEK is rotated when it is older than this, or has wrapped `kekMaxWraps` DEKs. */
  kekMaxAgeDays: z.number().int().min(1).max(3_650).default(90),
  kekMaxWraps: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31)
    .default(MAX_WRAPS_PER_KEK),
  /** How long a process may cache a KEK as the active one. A former KEK is not retired earlier. */
  kekGraceSeconds: seconds.default(60),
  leaseSeconds: seconds.default(60),
  /** DEKs rewrapped in one transaction. */
  batchSize: z.number().int().min(1).max(5_000).default(500),
  /** Interval of the check of KEKs for age and number of wraps. */
  checkIntervalSeconds: seconds.default(60),
});

/** The worker processes in which connectors run. */
const connectorsSchema = z.strictObject({
  /** Concurrent workers; one tenant has at most half of them. Each uses about 120 MB. */
  maxWorkers: z.number().int().min(2).max(64).default(8),
  /** Idle workers that are kept, and for how long. */
  maxIdle: z.number().int().min(0).max(2).default(2),
  idleMs: z.number().int().min(0).max(600_000).default(30_000),
});

/** Purge of deleted entries. */
const purgeSchema = z.strictObject({
  /** How long the encrypted secrets of a deleted entry are kept. */
  retentionDays: z.number().int().min(0).max(3_650).default(30),
});

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  /** Wraps the KEKs of all tenants. */
  rootKey: rootKeySchema,
  /** Ed25519 private key (PEM) that signs receipts. */
  receiptKeyFile: z.string(),
  actorTokenPublicKeyFile: z.string(),
  /**
   * File in which this replica records emergency disclosures before it makes them. Must survive the process.
   */
  emergencyJournalFile: z.string(),
  rotation: rotationSchema.prefault({}),
  encryption: encryptionSchema.prefault({}),
  purge: purgeSchema.prefault({}),
  connectors: connectorsSchema.prefault({}),
});

export type VaultConfig = z.infer<typeof configSchema>;
export type RotationConfig = VaultConfig['rotation'];
