import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';
import { tlsSchema } from '../network/tls.ts';

/** The longest name of any server of the family (MariaDB; MySQL knows 32). */
export function isUserName(name: string): boolean {
  return name.length > 0 && name.length <= 128 && !/\p{Cc}/u.test(name);
}

/** What is stored about a MySQL or MariaDB target. */
export const mysqlConfigSchema = z.strictObject({
  host: hostSchema,
  port: portSchema.default(3306),
  tls: tlsSchema,
  /** Who changes the password: the account itself, logged in with the current one, or an administrator. */
  rotateAs: z.enum(['self', 'admin']).default('self'),
  /**
   * The host part of the accounts (`app`@`10.%`): which one an administrator changes when a user name has several. Without it a
   * name with several is refused.
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
