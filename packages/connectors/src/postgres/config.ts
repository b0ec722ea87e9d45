import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';

const certificate = z
  .string()
  .max(65_536)
  .refine((pem) => {
    try {
      return new X509Certificate(pem).raw.length > 0;
    } catch {
      return false;
    }
  }, 'must be a certificate in PEM form');

const tls = z.discriminatedUnion('mode', [
  /** No encryption: accepted for loopback and private addresses only. */
  z.strictObject({ mode: z.literal('disable') }),
  /** The certificate must come from this CA and carry the configured host. */
  z.strictObject({ mode: z.literal('verify-full'), ca: certificate }),
  /** The server must show exactly this certificate; its name does not matter. */
  z.strictObject({ mode: z.literal('pinned'), certificate }),
]);

/** PostgreSQL cuts names silently at 63 bytes, so a longer one could mean another role. */
export function isRoleName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes > 0 && bytes <= 63 && !/\p{Cc}/u.test(name);
}

/** What is stored about a PostgreSQL target. */
export const postgresConfigSchema = z.strictObject({
  host: hostSchema,
  port: portSchema.default(5432),
  database: z
    .string()
    .refine(isRoleName, 'must have 1 to 63 bytes and no control characters')
    .default('postgres'),
  tls,
  /** Who changes the password: the account itself, proving the current one, or an administrator. */
  rotateAs: z.enum(['self', 'admin']).default('self'),
});

export type PostgresConfig = z.output<typeof postgresConfigSchema>;
