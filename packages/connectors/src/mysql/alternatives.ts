import { z } from 'zod';
import { ConnectorError } from '../connector-error.ts';
import { ed25519Hash } from './ed25519.ts';
import { literal } from './literals.ts';
import { nativePasswordHash } from './native-password-hash.ts';

/** One login method of a MariaDB account: `IDENTIFIED VIA plugin USING 'stored' OR …`. */
export interface Alternative {
  readonly plugin: string;
  /** What the server stores for it: a hash, the name of a service, or nothing. */
  readonly stored: string;
}

/** The hash of each password plugin, as MariaDB stores it and accepts it instead of the password. */
const hashes: Readonly<Record<string, (password: string) => string>> = {
  mysql_native_password: nativePasswordHash,
  ed25519: ed25519Hash,
};

function hashOf(plugin: string): ((password: string) => string) | undefined {
  return Object.hasOwn(hashes, plugin) ? hashes[plugin] : undefined;
}

/** Whether this connector can set its password. `USING 'invalid'` is how MariaDB disables a password. */
export function hasPassword({ plugin, stored }: Alternative): boolean {
  return (
    hashOf(plugin) !== undefined && (stored === '' || /^(?:\*[0-9A-F]{40}|[A-Za-z0-9+/]{43})$/i.test(stored))
  );
}

/** Returns the hash that the server stores for this alternative. Only for alternatives with a password. */
export function storedForm({ plugin }: Alternative, password: string): string {
  const hash = hashOf(plugin);
  if (hash === undefined) throw new ConnectorError('protocol', `The kind ${plugin} has no password.`);
  return hash(password);
}

/**
 * Builds the clause: alternatives with a password get `secret`, an SQL expression; the others stay unchanged.
 */
export function identifiedVia(
  alternatives: readonly Alternative[],
  secret: (alternative: Alternative) => string,
): string {
  const clauses = alternatives.map((alternative) => {
    const plugin = `\`${alternative.plugin.replaceAll('`', '``')}\``;
    if (hasPassword(alternative)) return `${plugin} USING ${secret(alternative)}`;
    return alternative.stored === '' ? plugin : `${plugin} USING ${literal(alternative.stored)}`;
  });
  return `IDENTIFIED VIA ${clauses.join(' OR ')}`;
}

const entry = z.object({
  plugin: z.string().exactOptional(),
  authentication_string: z.string().exactOptional(),
});

/** The fields that are read from the column `Priv` of `mysql.global_priv`. */
export const privSchema = entry.extend({
  auth_or: z.array(entry).max(100).exactOptional(),
  is_role: z.boolean().default(false),
  account_locked: z.boolean().default(false),
  /** 0 after `PASSWORD EXPIRE`. */
  password_last_changed: z.number().exactOptional(),
  /** 1: any TLS; 2: any client certificate; 3: as the other fields define. */
  ssl_type: z.number().default(0),
  x509_issuer: z.string().default(''),
  x509_subject: z.string().default(''),
  max_user_connections: z.number().default(0),
});

/**
 * Returns the alternatives of a row of `mysql.global_priv`; an empty `auth_or` element stands for the row
 * itself.
 */
export function alternativesOfRow(row: z.output<typeof privSchema>): Alternative[] {
  return (row.auth_or ?? [{}]).map((one) => {
    const { plugin, authentication_string: stored } = one.plugin === undefined ? row : one;
    return { plugin: plugin || 'mysql_native_password', stored: stored ?? '' };
  });
}

const NAME = '`(?:[^`]|``)*`';
const ONE = String.raw`\w+(?: (?:USING|AS) '[^']*')?`;
const ACCOUNT = new RegExp(`^CREATE USER ${NAME}@${NAME}`);
const VIA = new RegExp(`^ IDENTIFIED VIA (${ONE}(?: OR ${ONE})*)`);

/** Parses the answer of `SHOW CREATE USER`, which every account may run for itself. */
export function alternativesOfDefinition(definition: string): Alternative[] {
  const rest = definition.replace(ACCOUNT, '');
  const byPassword = /^ IDENTIFIED BY PASSWORD '([^']*)'/.exec(rest);
  if (byPassword !== null) return [{ plugin: 'mysql_native_password', stored: byPassword[1] ?? '' }];
  const via = VIA.exec(rest)?.[1];
  if (via === undefined) return [{ plugin: 'mysql_native_password', stored: '' }];
  return via.split(' OR ').map((clause) => {
    const [plugin = '', , stored = ''] = clause.split(' ');
    return { plugin, stored: stored.slice(1, -1) };
  });
}
