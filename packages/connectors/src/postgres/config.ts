import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';
import { tlsSchema } from '../network/tls.ts';

/** PostgreSQL truncates names to 63 bytes, so a longer one could mean another role. */
export function isRoleName(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes > 0 && bytes <= 63 && !/\p{Cc}/u.test(name);
}

/** The settings of a PostgreSQL target. */
export const postgresConfigSchema = z.strictObject({
  host: hostSchema,
  port: portSchema.default(5432),
  database: z
    .string()
    .refine(isRoleName, 'must have 1 to 63 bytes and no control characters')
    .default('postgres'),
  tls: tlsSchema,
  /** Who changes the password: the account itself with its current password, or an administrator. */
  rotateAs: z.enum(['self', 'admin']).default('self'),
});

export type PostgresConfig = z.output<typeof postgresConfigSchema>;
