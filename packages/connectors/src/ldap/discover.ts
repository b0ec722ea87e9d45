import type { Client, Entry } from 'ldapts';
import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { TARGET_LIMITS } from '../limits.ts';
import { listed } from '../listed.ts';
import type { LdapConfig } from './config.ts';
import { bindName, comparableDn } from './names.ts';
import { asLdapResult, said } from './result-codes.ts';
import { openSession } from './session.ts';

const PAGE_SIZE = 500;
const MAX_ACCOUNTS = TARGET_LIMITS.accounts;
/** A server may give fewer entries in a page than asked for, and never an end. */
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

/** Lists what the filter finds under the base, in pages. Passwords and their hashes are never asked for. */
export async function discoverLdap(
  config: LdapConfig,
  admin: Credential,
  ctx: ConnectorContext,
): Promise<DiscoveredAccount[]> {
  const { baseDn } = config;
  if (baseDn === undefined)
    throw new ConnectorError('configuration', 'The target does not say where its accounts are.', {
      hint: 'Set baseDn, and filter where not every person counts.',
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
    throw new ConnectorError('permission', said(result), {
      cause: error,
      hint: 'The administrator needs to read the accounts under baseDn.',
    });
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
      throw new ConnectorError('protocol', `The server answers in more than ${MAX_PAGES} pages.`);
    if (accounts.length > MAX_ACCOUNTS)
      throw new ConnectorError('configuration', `The filter finds more than ${MAX_ACCOUNTS} accounts.`, {
        hint: 'Set a narrower baseDn or filter.',
      });
  }
  return accounts;
}

function describe(config: LdapConfig, privileged: ReadonlySet<string>, entry: Entry): DiscoveredAccount[] {
  const usesDns = config.userDn === '{username}' && config.loginName === undefined;
  const username = usesDns ? entry.dn : text(entry, config.nameAttribute);
  if (username === '') return [];
  const control = Number(text(entry, 'userAccountControl') || '0');
  const groups = texts(entry, 'memberOf');
  const isLocked =
    text(entry, 'pwdAccountLockedTime') !== '' || Number(text(entry, 'lockoutTime') || '0') > 0;
  const isDisabled = (control & 0x2) !== 0;
  const hasShell = !/(?:\/nologin|\/false)$/.test(text(entry, 'loginShell'));
  const changed = changedOn(entry);
  return [
    {
      username,
      privileged:
        text(entry, 'adminCount') === '1' || groups.some((group) => privileged.has(comparableDn(group))),
      canLogin: !isLocked && !isDisabled && hasShell,
      ...(changed === undefined ? {} : { lastPasswordChange: changed }),
      details: {
        dn: entry.dn,
        groups: listed(groups, ';'),
        locked: String(isLocked),
        disabled: String(isDisabled),
        mustChangePassword: String(text(entry, 'pwdReset') === 'TRUE' || text(entry, 'pwdLastSet') === '0'),
      },
    },
  ];
}

function texts(entry: Entry, attribute: string): string[] {
  const [, values] =
    Object.entries(entry).find(([name]) => name.toLowerCase() === attribute.toLowerCase()) ?? [];
  return [values ?? []].flat().filter((value) => typeof value === 'string');
}

function text(entry: Entry, attribute: string): string {
  return texts(entry, attribute)[0] ?? '';
}

/** The day in a GeneralizedTime, or in Active Directory's count of 100 ns since 1601. */
function changedOn(entry: Entry): string | undefined {
  const generalized = /^(\d{4})(\d\d)(\d\d)\d{4}/.exec(text(entry, 'pwdChangedTime'));
  if (generalized) return generalized.slice(1, 4).join('-');
  const ticks = text(entry, 'pwdLastSet');
  if (!/^[1-9]\d{10,18}$/.test(ticks)) return undefined;
  return new Date(Number(BigInt(ticks) / 10_000n) - 11_644_473_600_000).toISOString().slice(0, 10);
}
