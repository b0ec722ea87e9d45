import type { Client, Entry } from 'ldapts';
import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { TARGET_LIMITS } from '../limits.ts';
import { listed } from '../listed.ts';
import { type AttributeReader, attributesOf, dateOfTicks, valuesOf } from './attributes.ts';
import type { LdapConfig } from './config.ts';
import { comparableDn } from './distinguished-name.ts';
import { bindName } from './names.ts';
import { asLdapResult } from './result-codes.ts';
import { searchFailure } from './search-failure.ts';
import { openSession } from './session.ts';

const PAGE_SIZE = 500;
const MAX_ACCOUNTS = TARGET_LIMITS.accounts;
/** Ends a search of a server that returns small pages without end. */
const MAX_PAGES = 1_000;
const facts = [
  'memberOf',
  'loginShell',
  'pwdChangedTime',
  'pwdAccountLockedTime',
  'pwdReset',
  'userAccountControl',
  'adminCount',
  'lockoutTime',
  'pwdLastSet',
];

/** Lists the accounts that the filter finds under the base, in pages. Never reads passwords or hashes. */
export async function discoverLdap(
  config: LdapConfig,
  admin: Credential,
  ctx: ConnectorContext,
): Promise<DiscoveredAccount[]> {
  const { baseDn } = config;
  if (baseDn === undefined)
    throw new ConnectorError('configuration', 'The target has no baseDn, so its accounts cannot be listed.', {
      hint: 'Set baseDn, and a filter that selects the accounts.',
    });
  try {
    const login = { name: bindName(config, admin.username, true), password: admin.password };
    await using session = await openSession(config, login, ctx, operationSignal(ctx));
    try {
      return await readAccounts(session.client, config, baseDn);
    } catch (error) {
      throw session.violation() ?? error;
    }
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined) throw asConnectorError(error);
    throw searchFailure(result, error);
  }
}

async function readAccounts(
  client: Client,
  config: LdapConfig,
  baseDn: string,
): Promise<DiscoveredAccount[]> {
  const { filter, nameAttribute } = config;
  const accounts: DiscoveredAccount[] = [];
  const search = { filter, attributes: [nameAttribute, ...facts], paged: { pageSize: PAGE_SIZE } };
  const privileged = new Set(config.privilegedGroups.map(comparableDn));
  let pages = 0;
  for await (const page of client.searchPaginated(baseDn, search)) {
    accounts.push(...page.searchEntries.flatMap((entry) => describe(config, privileged, entry)));
    pages += 1;
    if (pages > MAX_PAGES)
      throw new ConnectorError('protocol', `The server's answer has more than ${MAX_PAGES} pages.`);
    if (accounts.length > MAX_ACCOUNTS)
      throw new ConnectorError('configuration', `The filter finds more than ${MAX_ACCOUNTS} accounts.`, {
        hint: 'Set a narrower baseDn or filter.',
      });
  }
  return accounts;
}

function describe(config: LdapConfig, privileged: ReadonlySet<string>, entry: Entry): DiscoveredAccount[] {
  const read = attributesOf(entry);
  const usesDns = config.userDn === '{username}' && config.loginName === undefined;
  const username = usesDns ? entry.dn : read(config.nameAttribute);
  if (username === '') return [];
  const control = Number(read('userAccountControl') || '0');
  const groups = valuesOf(entry, 'memberOf');
  const isLocked = read('pwdAccountLockedTime') !== '' || Number(read('lockoutTime') || '0') > 0;
  const isDisabled = (control & 0x2) !== 0;
  const hasShell = !/(?:\/nologin|\/false)$/.test(read('loginShell'));
  const changed = changedOn(read);
  return [
    {
      username,
      privileged: read('adminCount') === '1' || groups.some((group) => privileged.has(comparableDn(group))),
      canLogin: !isLocked && !isDisabled && hasShell,
      ...(changed === undefined ? {} : { lastPasswordChange: changed }),
      details: {
        dn: entry.dn,
        groups: listed(groups, ';'),
        locked: String(isLocked),
        disabled: String(isDisabled),
        mustChangePassword: String(read('pwdReset') === 'TRUE' || read('pwdLastSet') === '0'),
      },
    },
  ];
}

/** The day in a GeneralizedTime, or in Active Directory's time in 100 ns since 1601. */
function changedOn(read: AttributeReader): string | undefined {
  const generalized = /^(\d{4})(\d\d)(\d\d)\d{4}/.exec(read('pwdChangedTime'));
  if (generalized) return generalized.slice(1, 4).join('-');
  return dateOfTicks(read('pwdLastSet'))?.toISOString().slice(0, 10);
}
