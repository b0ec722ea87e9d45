import { AndFilter, type Client, EqualityFilter, type Filter, FilterParser } from 'ldapts';
import { ConnectorError } from '../connector-error.ts';
import { attributesOf } from './attributes.ts';
import type { LdapConfig } from './config.ts';
import { isSameDn } from './distinguished-name.ts';
import { accountDn, windowsName } from './names.ts';
import { asLdapResult } from './result-codes.ts';
import { searchFailure } from './search-failure.ts';

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

/**
 * Returns the distinguished name of the account. Throws ConnectorError (`permission`) unless exactly one
 * matches.
 */
export async function findAccount(client: Client, config: LdapConfig, username: string): Promise<string> {
  if (config.loginName === undefined || config.baseDn === undefined) return accountDn(config, username);
  const dn =
    (await search(client, config, config.nameAttribute, username)) ??
    (await findByWindowsName(client, config, username));
  if (dn !== undefined) return dn;
  throw new ConnectorError('permission', 'The directory has no such account.', { hint: SEARCH_HINT });
}

const SEARCH_HINT = 'Check baseDn, filter and nameAttribute of the target.';

/** In Active Directory a search finds `ann`; a login also accepts `ann@corp.example` and `CORP\ann`. */
async function findByWindowsName(
  client: Client,
  config: LdapConfig,
  username: string,
): Promise<string | undefined> {
  const parts = windowsName(config, username);
  if (parts === undefined) return undefined;
  const byPrincipal =
    parts.form === 'name@domain' ? await search(client, config, 'userPrincipalName', username) : undefined;
  if (byPrincipal !== undefined) return byPrincipal;
  const dn = await search(client, config, 'sAMAccountName', parts.name);
  // The same user name in another domain is another account.
  if (dn === undefined || (await isOfDomain(client, dn, username, parts))) return dn;
  return undefined;
}

async function isOfDomain(
  client: Client,
  dn: string,
  username: string,
  { form, domain }: NonNullable<ReturnType<typeof windowsName>>,
): Promise<boolean> {
  if (form === 'name@domain') {
    const components = dn.split(/(?<!\\),/).map((part) => /^\s*dc\s*=\s*(.*)$/i.exec(part)?.[1]);
    const ofDn = components.filter((component) => component !== undefined).join('.');
    return ofDn.toLowerCase() === domain.toLowerCase();
  }
  const attributes = ['msDS-PrincipalName'];
  const { searchEntries } = await client.search(dn, { scope: 'base', attributes });
  return attributesOf(searchEntries[0])('msDS-PrincipalName').toLowerCase() === username.toLowerCase();
}

/** Returns undefined if there is none. Throws ConnectorError if there are several. */
async function search(
  client: Client,
  config: LdapConfig,
  attribute: string,
  value: string,
): Promise<string | undefined> {
  // Built as an object, so that no part of the name is parsed as a filter.
  const filters: Filter[] = [
    FilterParser.parseString(config.filter),
    new EqualityFilter({ attribute, value }),
  ];
  const filter = new AndFilter({ filters });
  // No size limit: with one, the driver would hide that the server cut the result, perhaps after one of two.
  const found = await client.search(config.baseDn ?? '', { filter, attributes: ['1.1'] });
  const [only, another] = found.searchEntries;
  if (another !== undefined)
    throw new ConnectorError('permission', 'The directory has several accounts of this name.', {
      hint: SEARCH_HINT,
    });
  return only?.dn;
}

/** A mapped login can run the connection as another account, whose password must not be changed. */
export async function assertLoggedInAs(client: Client, dn: string): Promise<void> {
  const own = await loggedInAs(client);
  if (own !== undefined && !isSameDn(own, dn))
    throw new ConnectorError(
      'permission',
      'The server runs this connection as another account than the one that logged in.',
      {
        hint: 'Rotate as an administrator (rotateAs admin), or remove the mapping of this login on the server.',
      },
    );
}

/**
 * Returns the distinguished name of the connection's account if the server supports it. Throws
 * ConnectorError.
 */
export async function loggedInAs(client: Client): Promise<string | undefined> {
  try {
    const { value } = await client.exop(WHO_AM_I);
    return value?.startsWith('dn:') && value !== 'dn:' ? value.slice(3) : undefined;
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined) throw error;
    // A server without this operation changes the account that the request names.
    if (result.code === 2 || result.code === 53) return undefined;
    throw searchFailure(result, error);
  }
}
