import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';

/** The settings of a host reached over SSH. */
export const sshConfigSchema = z.strictObject({
  host: hostSchema,
  port: portSchema.default(22),
  /**
   * The trusted fingerprints, as `ssh-keygen -lf` prints them. If empty, only `test` works, and reports the
   * host's key.
   */
  hostKeys: z
    .array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must look like SHA256: and 43 characters'))
    .max(8)
    .default([]),
  /** Who changes the password: the account itself with `passwd`, or an administrator with `chpasswd`. */
  rotateAs: z.enum(['self', 'admin']).default('self'),
  /** How the administrator gets root permissions: as root, or through sudo (with or without a password). */
  privilege: z.enum(['root', 'sudo']).default('root'),
});

export type SshConfig = z.output<typeof sshConfigSchema>;
