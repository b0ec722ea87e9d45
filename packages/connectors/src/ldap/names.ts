import { ConnectorError } from '../connector-error.ts';
import type { LdapConfig } from './config.ts';
import { escapeDnValue, isDn } from './distinguished-name.ts';

/** The name to bind with. An administrator may always be given by its distinguished name. */
export function bindName(config: LdapConfig, username: string, isAdmin: boolean): string {
  checkUsername(username);
  if (isAdmin && isDn(username)) return username;
  if (windowsName(config, username) !== undefined) return username;
  if (config.loginName !== undefined) return config.loginName.replace('{username}', () => username);
  return accountDn(config, username);
}

/**
 * The parts of a name that Active Directory takes as it stands to log in, `name@domain` or `DOMAIN\name`;
 * undefined for other names, and in other directories, where these characters are parts of a name like
 * others.
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
