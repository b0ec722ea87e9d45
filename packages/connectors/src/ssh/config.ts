import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';

/** What is stored about a host reached over SSH. */
export const sshConfigSchema = z.strictObject({
  host: hostSchema,
  port: portSchema.default(22),
  /**
   * The fingerprints that are trusted, as `ssh-keygen -lf` prints them. Empty: only `test` works, and reports
   * what it saw.
   */
  hostKeys: z
    .array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must look like SHA256: and 43 characters'))
    .max(8)
    .default([]),
  /** Who changes the password: the account itself with `passwd`, or an administrator with `chpasswd`. */
  rotateAs: z.enum(['self', 'admin']).default('self'),
  /**
   * How the administrator gets root's rights: by being root, or through sudo (with or without a password).
   */
  privilege: z.enum(['root', 'sudo']).default('root'),
});

export type SshConfig = z.output<typeof sshConfigSchema>;
