import { rootKeySchema } from '@claviger/keyring';
import { storeConfigSchema } from '@claviger/store-service';
import { z } from 'zod';

/** Minimum of OWASP; the configuration accepts no lower values. */
export const HASH_FLOOR = { memoryKib: 19_456, passes: 2 };
const PRODUCTION_HASH = { memoryKib: 65_536, passes: 3 };

export const configSchema = z.strictObject({
  ...storeConfigSchema.shape,
  /** URL of the gateway for people. Links are built from it, never from a request. */
  publicUrl: z.url(),
  /** Ed25519 private keys, PKCS#8 PEM. */
  accessTokenKeyFile: z.string(),
  actorTokenKeyFile: z.string(),
  /**
   * Hexadecimal. Without the pepper, stored passwords can neither be checked nor guessed from a copy of the
   * database.
   */
  pepperFile: z.string(),
  /** Wraps the keys that encrypt the secrets of second factors. */
  rootKey: rootKeySchema,
  /** argon2id. 64 MiB and 3 passes in production, the minimum elsewhere. */
  passwordHash: z
    .strictObject({
      memoryKib: z.number().int().min(HASH_FLOOR.memoryKib).max(1_048_576),
      passes: z.number().int().min(HASH_FLOOR.passes).max(20),
    })
    .optional(),
  /**
   * Limits of concurrent and waiting password hashes. Beyond them a sign-in is answered with 503, so that it
   * does not exhaust the CPU.
   */
  passwordQueue: z
    .strictObject({
      concurrency: z.number().int().min(1).max(64).default(2),
      waiting: z.number().int().min(0).max(1_000).default(16),
    })
    .prefault({}),
  tenants: z
    .strictObject({
      /** Days from the confirmation of a deprovisioning to the destruction of the tenant's keys. */
      retentionDays: z.number().int().min(30).max(3_650).default(30),
    })
    .prefault({}),
  sessions: z
    .strictObject({
      idleMinutes: z.number().int().min(1).max(1_440).default(30),
      absoluteHours: z.number().int().min(1).max(24).default(12),
    })
    .prefault({}),
});

export type AuthConfig = z.infer<typeof configSchema>;

export function hashParameters(config: AuthConfig): { memoryKib: number; passes: number } {
  return config.passwordHash ?? (config.environment === 'production' ? PRODUCTION_HASH : HASH_FLOOR);
}
