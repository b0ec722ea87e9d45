import type { LdapConfig } from './config.ts';
import { comparableDn, escapeDnValue } from './distinguished-name.ts';
import { windowsName } from './names.ts';

const LIKE_A_DN = /^[A-Za-z0-9][A-Za-z0-9.-]*\s*=./;

/**
 * Returns one text for all spellings of an account. Directories ignore case, width and runs of blanks. In
 * Active Directory, `CORP\ann`, `ann@corp.example` and `ann` are the same account.
 */
export function ldapAccountName(config: LdapConfig, username: string): string {
  const name = prepared(username);
  if (LIKE_A_DN.test(name)) return comparableDn(name);
  if (config.loginName === undefined && config.userDn !== '{username}')
    return comparableDn(config.userDn.replace('{username}', () => escapeDnValue(name)));
  const template = windowsName(config, name) === undefined ? config.loginName : undefined;
  const login = prepared((template ?? '{username}').replace('{username}', () => name)).toLowerCase();
  if (config.passwordChange !== 'unicodePwd') return login;
  return login.slice(login.indexOf('\\') + 1).replace(/@[^@]*$/, '');
}

/** Prepares a name as directories do before they compare it (RFC 4518). */
function prepared(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim();
}
