import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';
import { tlsSchema } from '../network/tls.ts';

/** The longest user name of the family: 128 characters in MariaDB; MySQL allows 32. */
export function isUserName(name: string): boolean {
  return name.length > 0 && name.length <= 128 && !/\p{Cc}/u.test(name);
}

/** The settings of a MySQL or MariaDB target. */
export const mysqlConfigSchema = z.strictObject({
  host: hostSchema,
  port: portSchema.default(3306),
  tls: tlsSchema,
  /** Who changes the password: the account itself, logged in with the current one, or an administrator. */
  rotateAs: z.enum(['self', 'admin']).default('self'),
  /**
   * The host part of the accounts (`app`@`10.%`) that an administrator changes if a user name has several.
   * Without it such a user name is refused.
   */
  accountHost: z
    .string()
    .max(255)
    .refine(
      (host) => host.length > 0 && !/\p{Cc}/u.test(host),
      'must not be empty or hold control characters',
    )
    .optional(),
});

export type MysqlConfig = z.output<typeof mysqlConfigSchema>;
