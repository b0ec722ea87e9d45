import { ConnectorError } from '../connector-error.ts';
import type { LdapConfig } from './config.ts';

const dnStart = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)=./;

/** Whether a text can be a distinguished name; the server decides whether it is one of its. */
export function isDn(text: string): boolean {
  return text.length <= 1024 && dnStart.test(text) && !/\p{Cc}/u.test(text);
}

/** A value inside a distinguished name (RFC 4514). */
export function escapeDnValue(value: string): string {
  return value.replace(/[\\,+"<>;=#]/g, (character) => `\\${character}`).replace(/^ | $/g, '\\ ');
}

/** The name to bind with. An administrator may always be given by its distinguished name. */
export function bindName(config: LdapConfig, username: string, isAdmin: boolean): string {
  checkUsername(username);
  if (isAdmin && isDn(username)) return username;
  if (config.loginName !== undefined) return config.loginName.replace('{username}', () => username);
  return accountDn(config, username);
}

/** The distinguished name of an account, where the settings tell it. */
export function accountDn(config: LdapConfig, username: string): string {
  checkUsername(username);
  if (config.userDn !== '{username}')
    return config.userDn.replace('{username}', () => escapeDnValue(username));
  if (isDn(username)) return username;
  throw new ConnectorError('configuration', 'The user name is no distinguished name.', {
    hint: 'Give the entry the whole distinguished name, or the target userDn such as uid={username},ou=people,dc=example,dc=org.',
  });
}

function checkUsername(username: string): void {
  if (username.length === 0 || username.length > 1024 || /\p{Cc}/u.test(username))
    throw new ConnectorError(
      'configuration',
      'A user name has 1 to 1024 characters and no control characters.',
    );
}

/** Whether two distinguished names mean the same, as far as case, blanks and ways of escaping go. */
export function isSameDn(one: string, other: string): boolean {
  return comparable(one) === comparable(other);
}

function comparable(dn: string): string {
  return dn
    .replace(/\\([0-9a-fA-F]{2})|\\(.)|([^\x00-\x7f]|[#<>;"])/gsu, (_all, pair, escaped, wide) =>
      pair === undefined ? hexPairs(String(escaped ?? wide)) : `\\${String(pair)}`,
    )
    .replace(/\s*([,=+])\s*/g, '$1')
    .toLowerCase();
}

function hexPairs(text: string): string {
  return [...Buffer.from(text.toLowerCase())]
    .map((byte) => `\\${byte.toString(16).padStart(2, '0')}`)
    .join('');
}
