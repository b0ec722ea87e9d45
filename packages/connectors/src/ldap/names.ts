import { ConnectorError } from '../connector-error.ts';
import type { LdapConfig } from './config.ts';
import { escapeDnValue, isDn } from './distinguished-name.ts';

/** Returns the name to bind with. An administrator may be given by distinguished name. */
export function bindName(config: LdapConfig, username: string, isAdmin: boolean): string {
  checkUsername(username);
  if (isAdmin && isDn(username)) return username;
  if (windowsName(config, username) !== undefined) return username;
  if (config.loginName !== undefined) return config.loginName.replace('{username}', () => username);
  return accountDn(config, username);
}

/**
 * Splits a login name of Active Directory: `name@domain` or `DOMAIN\name`. Returns undefined for other names
 * and other directories, where these characters have no special meaning.
 */
export function windowsName(
  config: LdapConfig,
  username: string,
): { form: 'name@domain' | 'DOMAIN\\name'; name: string; domain: string } | undefined {
  if (config.passwordChange !== 'unicodePwd' || config.loginName === undefined) return undefined;
  const [, domain, name] = /^([^\\@]+)\\([^\\@]+)$/.exec(username) ?? [];
  if (domain !== undefined && name !== undefined) return { form: 'DOMAIN\\name', name, domain };
  const [, own, at] = /^([^\\]+)@([^\\@]+)$/.exec(username) ?? [];
  return own === undefined || at === undefined ? undefined : { form: 'name@domain', name: own, domain: at };
}

/** Returns the distinguished name of an account, if the settings define it. */
export function accountDn(config: LdapConfig, username: string): string {
  checkUsername(username);
  if (config.userDn !== '{username}')
    return config.userDn.replace('{username}', () => escapeDnValue(username));
  if (isDn(username)) return username;
  throw new ConnectorError('configuration', 'The user name is not a distinguished name.', {
    hint: 'Set the full distinguished name as user name of the entry, or set userDn of the target, such as uid={username},ou=people,dc=example,dc=org.',
  });
}

function checkUsername(username: string): void {
  if (username.length === 0 || username.length > 1024 || /\p{Cc}/u.test(username))
    throw new ConnectorError(
      'configuration',
      'A user name has 1 to 1024 characters and no control characters.',
    );
}
