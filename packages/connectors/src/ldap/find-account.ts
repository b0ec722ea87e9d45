import { AndFilter, type Client, EqualityFilter, FilterParser } from 'ldapts';
import { ConnectorError } from '../connector-error.ts';
import type { LdapConfig } from './config.ts';
import { accountDn, isSameDn } from './names.ts';
import { asLdapResult, said } from './result-codes.ts';

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

/** The distinguished name of the one account that is meant. Throws ConnectorError (`permission`) when it is not exactly one. */
export async function findAccount(client: Client, config: LdapConfig, username: string): Promise<string> {
  if (config.loginName === undefined || config.baseDn === undefined) return accountDn(config, username);
  // As an object, so that nothing in the name can be read as a part of a filter.
  const isTheAccount = new EqualityFilter({ attribute: config.nameAttribute, value: username });
  const filter = new AndFilter({ filters: [FilterParser.parseString(config.filter), isTheAccount] });
  const found = await client.search(config.baseDn, { filter, attributes: ['1.1'], sizeLimit: 2 });
  const [only] = found.searchEntries;
  if (only !== undefined && found.searchEntries.length === 1) return only.dn;
  throw new ConnectorError(
    'permission',
    only === undefined
      ? 'The directory has no such account.'
      : 'The directory has several accounts of this name.',
    { hint: 'Check baseDn, filter and nameAttribute of the target.' },
  );
}

/** A mapped login can leave the connection with another account; its password must not be the one that changes. */
export async function assertLoggedInAs(client: Client, dn: string): Promise<void> {
  let answer: string | undefined;
  try {
    answer = (await client.exop(WHO_AM_I)).value;
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined) throw error;
    // A server that does not know the question changes what the request names, which is `dn`.
    if (result.code === 2 || result.code === 53) return;
    throw new ConnectorError('permission', said(result), { cause: error });
  }
  if (answer?.startsWith('dn:') && !isSameDn(answer.slice(3), dn))
    throw new ConnectorError(
      'permission',
      'The server runs this connection as another account than the one logged in.',
    );
}
