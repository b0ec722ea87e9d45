import { createHash } from 'node:crypto';
import { hostKey } from '@claviger/outbound';
import type { ConnectorType } from './connector.ts';
import { httpConfigSchema } from './http/config.ts';
import { ldapAccountName } from './ldap/account-name.ts';
import { ldapConfigSchema, portOf } from './ldap/config.ts';
import { mysqlConfigSchema } from './mysql/config.ts';
import { postgresConfigSchema } from './postgres/config.ts';
import { sshConfigSchema } from './ssh/config.ts';

/** Identifies an account on a target. Two spellings of the same account have equal keys. */
export interface AccountKey {
  /** Kind, host and port of the target. */
  readonly target: string;
  readonly account: string;
}

interface Reached {
  readonly host: string;
  readonly port: number | string;
  readonly accountOf: (username: string) => string;
}

/** The ports of a directory: plain, TLS, and the global catalogue of Active Directory. */
const DIRECTORY_PORTS = new Set([389, 636, 3268, 3269]);

const asItIs = (username: string): string => username;

const reached: Readonly<Record<ConnectorType, (settings: unknown) => Reached | undefined>> = {
  // PostgreSQL, Linux and most HTTP interfaces distinguish names by case.
  http: (settings) => at(httpConfigSchema.safeParse(settings).data, asItIs),
  postgres: (settings) => at(postgresConfigSchema.safeParse(settings).data, asItIs),
  ssh: (settings) => at(sshConfigSchema.safeParse(settings).data, asItIs),
  // MySQL selects the account by name and client address, and the client is always the vault. MySQL ignores
  // trailing blanks.
  mysql: (settings) => at(mysqlConfigSchema.safeParse(settings).data, withoutTrailingBlanks),
  ldap: (settings) => {
    const config = ldapConfigSchema.safeParse(settings).data;
    if (!config) return undefined;
    const port = portOf(config);
    return {
      host: config.host,
      port: DIRECTORY_PORTS.has(port) ? 'directory' : port,
      accountOf: (username) => ldapAccountName(config, username),
    };
  },
};

/**
 * Returns the key of the account that a login with this user name reaches. Returns undefined for an unknown
 * type, invalid settings or an empty user name.
 */
export function accountKey(type: string, settings: unknown, username: string): AccountKey | undefined {
  return accountKeysOf(type, settings)(username);
}

/** Like `accountKey`, for many names of one target: parses the settings once. */
export function accountKeysOf(type: string, settings: unknown): (username: string) => AccountKey | undefined {
  const found = Object.hasOwn(reached, type) ? reached[type as ConnectorType](settings) : undefined;
  const host = found && hostKey(found.host);
  if (!found || !host) return () => undefined;
  const target = `${type} ${host} ${found.port}`;
  return (username) =>
    username === '' ? undefined : { target, account: bounded(found.accountOf(username)) };
}

/** Keys are stored in an index, whose rows have a size limit: hashes long names. */
function bounded(name: string): string {
  if (name.length <= 512) return name;
  return `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

function withoutTrailingBlanks(name: string): string {
  let end = name.length;
  while (name[end - 1] === ' ') end -= 1;
  return name.slice(0, end);
}

function at(
  config: { readonly host: string; readonly port: number } | undefined,
  accountOf: Reached['accountOf'],
): Reached | undefined {
  return config && { host: config.host, port: config.port, accountOf };
}
