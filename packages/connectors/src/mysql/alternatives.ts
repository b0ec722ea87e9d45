import { z } from 'zod';
import { ConnectorError } from '../connector-error.ts';
import { ed25519Hash } from './ed25519.ts';
import { literal } from './literals.ts';
import { nativePasswordHash } from './native-password-hash.ts';

/** One of the ways in which MariaDB lets an account log in: `IDENTIFIED VIA plugin USING 'stored' OR …`. */
export interface Alternative {
  readonly plugin: string;
  /** What the server keeps for it: a hash, the name of a service, or nothing. */
  readonly stored: string;
}

/** The hash of each kind of login that has a password, as MariaDB keeps it and takes it in place of the password. */
const hashes: Readonly<Record<string, (password: string) => string>> = {
  mysql_native_password: nativePasswordHash,
  ed25519: ed25519Hash,
};

function hashOf(plugin: string): ((password: string) => string) | undefined {
  return Object.hasOwn(hashes, plugin) ? hashes[plugin] : undefined;
}

/** Whether it is a password that this connector sets. `USING 'invalid'` is how MariaDB switches a password off. */
export function hasPassword({ plugin, stored }: Alternative): boolean {
  return (
    hashOf(plugin) !== undefined && (stored === '' || /^(?:\*[0-9A-F]{40}|[A-Za-z0-9+/]{43})$/i.test(stored))
  );
}

/** What the server keeps of a password for this alternative. Of one that has a password only. */
export function storedForm({ plugin }: Alternative, password: string): string {
  const hash = hashOf(plugin);
  if (hash === undefined) throw new ConnectorError('protocol', `The kind ${plugin} has no password.`);
  return hash(password);
}

/** The alternatives as a clause: those that have a password with `secret`, an expression for it; the others as they are. */
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

/** What is read of the column `Priv` of `mysql.global_priv`. */
export const privSchema = entry.extend({
  auth_or: z.array(entry).max(100).exactOptional(),
  is_role: z.boolean().default(false),
  account_locked: z.boolean().default(false),
  /** 0 after `PASSWORD EXPIRE`. */
  password_last_changed: z.number().exactOptional(),
  /** 1: any TLS; 2: any certificate of the client; 3: what the other fields say. */
  ssl_type: z.number().default(0),
  x509_issuer: z.string().default(''),
  x509_subject: z.string().default(''),
  max_user_connections: z.number().default(0),
});

/** The alternatives of a row of `mysql.global_priv`; an empty one stands for the row itself. */
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

/** The alternatives of the answer of `SHOW CREATE USER`, which every account may ask about itself. */
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
