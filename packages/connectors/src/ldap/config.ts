import { FilterParser } from 'ldapts';
import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';
import { tlsSchema } from '../network/tls.ts';
import { isDn } from './distinguished-name.ts';

const template = z
  .string()
  .max(1024)
  .refine((text) => text.split('{username}').length === 2, 'must hold {username} once')
  .refine((text) => !/\p{Cc}/u.test(text), 'must not hold control characters');

const dn = z.string().refine(isDn, 'must be a distinguished name such as ou=people,dc=example,dc=org');

const filter = z
  .string()
  .max(2_000)
  .refine((text) => {
    if (!text.startsWith('(')) return false;
    try {
      FilterParser.parseString(text);
      return true;
    } catch {
      return false;
    }
  }, 'must be a search filter such as (objectClass=person)');

/** The settings of an LDAP directory. */
export const ldapConfigSchema = z
  .strictObject({
    host: hostSchema,
    /** Default: 636, or 389 with startTls or without encryption. */
    port: portSchema.optional(),
    tls: tlsSchema,
    /** Start in plain text and switch to TLS before anything is sent, instead of LDAPS. */
    startTls: z.boolean().default(false),
    /** Who changes the password: the account itself with its current password, or an administrator. */
    rotateAs: z.enum(['self', 'admin']).default('self'),
    /** The password modify operation (RFC 3062), Active Directory's attribute, or `userPassword`. */
    passwordChange: z.enum(['exop', 'unicodePwd', 'userPassword']).default('exop'),
    /**
     * Builds the distinguished name from the escaped user name. Default: the user name is the distinguished
     * name.
     */
    userDn: template.default('{username}'),
    /**
     * The login name, if not the distinguished name: `{username}@corp.example`. A search then finds the
     * account.
     */
    loginName: template.optional(),
    baseDn: dn.optional(),
    filter: filter.default('(objectClass=person)'),
    nameAttribute: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,60}$/, 'must be the name of an attribute')
      .default('uid'),
    /** Members of these groups count as privileged. */
    privilegedGroups: z.array(dn).max(50).default([]),
  })
  .refine((config) => !(config.passwordChange === 'unicodePwd' && config.tls.mode === 'disable'), {
    path: ['passwordChange'],
    message: 'needs TLS: Active Directory changes passwords over encrypted connections only',
  })
  .refine((config) => !(config.startTls && config.tls.mode === 'disable'), {
    path: ['startTls'],
    message: 'needs tls, which names the trusted certificate',
  })
  .refine((config) => config.loginName === undefined || config.baseDn !== undefined, {
    path: ['loginName'],
    message: 'needs baseDn, where the account is searched for',
  });

export type LdapConfig = z.output<typeof ldapConfigSchema>;

export function portOf(config: LdapConfig): number {
  return config.port ?? (config.startTls || config.tls.mode === 'disable' ? 389 : 636);
}
