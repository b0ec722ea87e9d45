import { MAX_WRAPS_PER_KEK, rootKeySchema } from '@claviger/keyring';
import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';

const seconds = z.number().positive().max(86_400);

/** Tuning of rotations; every default is meant for production. */
const rotationSchema = z.strictObject({
  /** How long one worker has a rotation before another may take it over; renewed while it works. */
  leaseSeconds: seconds.default(60),
  /** How often due work is looked for beside the job queue. */
  sweepIntervalSeconds: seconds.default(1),
  /** After an unclear change, how long the target is left alone before it is asked what it holds. */
  settleSeconds: z.number().min(0).max(3_600).default(30),
  /** First wait after an unreachable target; doubles up to an hour. */
  backoffSeconds: seconds.default(30),
  /** Logins that may fail per account and window, so that no probe locks an account. */
  probesPerWindow: z.number().int().min(1).max(10).default(2),
  probeWindowSeconds: seconds.default(1_800),
  /** Candidates that a target may refuse in a day before a person must look. */
  maxRejectedPerDay: z.number().int().min(1).max(20).default(3),
  changeTimeoutMs: z.number().int().min(100).max(120_000).default(30_000),
  verifyTimeoutMs: z.number().int().min(100).max(60_000).default(10_000),
  /** Rotations at the same time in one process. */
  concurrency: z.number().int().min(1).max(50).default(4),
});

/** The exchange of key encryption keys. */
const encryptionSchema = z.strictObject({
  /** The active key is exchanged by itself when it is older, or has wrapped as many content keys. */
  kekMaxAgeDays: z.number().int().min(1).max(3_650).default(90),
  kekMaxWraps: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31)
    .default(MAX_WRAPS_PER_KEK),
  /** How long a process may go on sealing under the key it remembers; an old key is not retired before. */
  kekGraceSeconds: seconds.default(60),
  leaseSeconds: seconds.default(60),
  /** How many content keys one transaction wraps anew. */
  batchSize: z.number().int().min(1).max(5_000).default(500),
  /** How often keys are looked at for age and count. */
  checkIntervalSeconds: seconds.default(60),
});

/** The worker processes in which connectors run. */
const connectorsSchema = z.strictObject({
  /** At once; one tenant has half of them at most. Each takes about 120 MB. */
  maxWorkers: z.number().int().min(2).max(64).default(8),
  /** Workers that stay after their job, and how long. */
  maxIdle: z.number().int().min(0).max(2).default(2),
  idleMs: z.number().int().min(0).max(600_000).default(30_000),
});

/** Deleted entries. */
const purgeSchema = z.strictObject({
  /** How long a deleted entry keeps its encrypted secrets before they are removed. */
  retentionDays: z.number().int().min(0).max(3_650).default(30),
});

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  /** Wraps the key encryption keys of all tenants. */
  rootKey: rootKeySchema,
  /** Ed25519 private key (PEM) that signs receipts. */
  receiptKeyFile: z.string(),
  actorTokenPublicKeyFile: z.string(),
  /** Where this replica records emergency disclosures before it makes them. On a disk that outlives the process. */
  emergencyJournalFile: z.string(),
  rotation: rotationSchema.prefault({}),
  encryption: encryptionSchema.prefault({}),
  purge: purgeSchema.prefault({}),
  connectors: connectorsSchema.prefault({}),
});

export type VaultConfig = z.infer<typeof configSchema>;
export type RotationConfig = VaultConfig['rotation'];
