import { Attribute, Change, type Client, type Entry } from 'ldapts';
import type { BlockedAccount } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { AccountUsabilityControl } from './account-usability-control.ts';
import { type AttributeReader, attributesOf, dateOfGeneralizedTime, dateOfTicks } from './attributes.ts';
import { asLdapResult, said } from './result-codes.ts';
import { searchFailure } from './search-failure.ts';

/** The state of an account as an administrator sees it. */
export interface AccountState {
  /** Why no login can succeed with any password; `not_now` if the directory reports when the block ends. */
  readonly blocked?: BlockedAccount & { readonly kind: 'not_now' | 'not_possible' };
  /** `pwdAccountLockedTime`; setting a password removes it. */
  readonly lockedTime: string;
  /** `pwdReset`; setting a password may set or remove it. */
  readonly reset: string;
  /** Active Directory requires a new password at the next login; setting a password clears this. */
  readonly mustChange: boolean;
}

const attributes = [
  'pwdAccountLockedTime',
  'pwdReset',
  'pwdStartTime',
  'pwdEndTime',
  'nsAccountLock',
  'userAccountControl',
  'msDS-User-Account-Control-Computed',
  'lockoutTime',
  'accountExpires',
  'pwdLastSet',
];

/**
 * Reads what prevents the account from logging in. Attributes that the administrator may not read count as
 * absent. Throws ConnectorError if the search fails.
 */
export async function readAccountState(client: Client, dn: string): Promise<AccountState> {
  const usability = new AccountUsabilityControl();
  let entry: Entry | undefined;
  try {
    const found = await client.search(dn, { scope: 'base', attributes }, usability);
    entry = found.searchEntries[0];
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined) throw error;
    // Object not found or not readable: the change itself reports it.
    if (result.code !== 32 && result.code !== 50) throw searchFailure(result, error);
  }
  const read = attributesOf(entry);
  const blocked = usability.usable === true ? undefined : blockOf(read, usability);
  return {
    ...(blocked === undefined ? {} : { blocked }),
    lockedTime: read('pwdAccountLockedTime'),
    reset: read('pwdReset'),
    mustChange: mustChange(read),
  };
}

/** Builds a change that sets one attribute, or removes it if the value is empty. */
function put(type: string, value: string): Change {
  return new Change({
    operation: 'replace',
    modification: new Attribute({ type, values: value === '' ? [] : [value] }),
  });
}

/**
 * Returns the changes that keep the flags of the account, sent together with the password. OpenLDAP removes a
 * lock with a password change unless the same change removes it and sets it again.
 */
export function changesThatKeep(state: AccountState): Change[] {
  if (state.mustChange) return [put('pwdLastSet', '0')];
  return [
    ...(state.blocked !== undefined && state.lockedTime !== ''
      ? [
          new Change({
            operation: 'delete',
            modification: new Attribute({ type: 'pwdAccountLockedTime', values: [] }),
          }),
          new Change({
            operation: 'add',
            modification: new Attribute({ type: 'pwdAccountLockedTime', values: [state.lockedTime] }),
          }),
        ]
      : []),
    ...(state.reset === '' ? [] : [put('pwdReset', state.reset)]),
  ];
}

/**
 * Writes the lock of a locked account with its present value. This checks that the administrator may restore
 * it: a password change removes the lock. Throws ConnectorError (`permission`).
 */
export async function assertMayLock(
  client: Client,
  dn: string,
  { blocked, lockedTime }: AccountState,
): Promise<void> {
  if (blocked === undefined || lockedTime === '') return;
  try {
    await client.modify(dn, put('pwdAccountLockedTime', lockedTime));
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined) throw error;
    throw new ConnectorError('permission', said(result, [], 'The account could not be kept locked'), {
      cause: error,
      hint: 'Let the administrator write pwdAccountLockedTime, or remove the lock.',
    });
  }
}

/**
 * Restores what the password change altered: a removed lock, and `pwdReset`. Returns what could not be
 * restored and what to do.
 */
export async function restoreState(
  client: Client,
  dn: string,
  before: AccountState,
): Promise<BlockedAccount | undefined> {
  try {
    const now = await readAccountState(client, dn);
    const changes = [
      ...(before.blocked !== undefined && now.lockedTime !== before.lockedTime
        ? [put('pwdAccountLockedTime', before.lockedTime)]
        : []),
      ...(now.reset === before.reset ? [] : [put('pwdReset', before.reset)]),
    ];
    if (changes.length > 0) await client.modify(dn, changes);
    return undefined;
  } catch (error) {
    const isLocked = before.blocked !== undefined && before.lockedTime !== '';
    // If the connection is lost here, only a flag may differ, which the next login reports.
    if (!isLocked && asLdapResult(error) === undefined) return undefined;
    return {
      reason: isLocked
        ? 'Setting the password has unlocked the account, and it could not be locked again.'
        : 'Setting the password may have changed pwdReset of the account, and that could not be restored.',
      hint: isLocked
        ? `Set pwdAccountLockedTime to ${before.lockedTime} again, and let the administrator write it.`
        : 'Check pwdReset of the account, and grant the administrator write access to it.',
    };
  }
}

const LOCKED_HINT = 'Unlock it in the directory: remove pwdAccountLockedTime.';

function blockOf(read: AttributeReader, usability: AccountUsabilityControl): AccountState['blocked'] {
  const { secondsBeforeUnlock } = usability;
  if (secondsBeforeUnlock !== undefined)
    return {
      kind: 'not_now',
      reason: `The account is locked after failed logins, for another ${secondsBeforeUnlock} seconds.`,
      hint: `Wait, or unlock it now. ${LOCKED_HINT}`,
    };
  if (read('pwdAccountLockedTime') !== '')
    return { kind: 'not_possible', reason: 'The account is locked.', hint: LOCKED_HINT };
  const [start, end] = [
    dateOfGeneralizedTime(read('pwdStartTime')),
    dateOfGeneralizedTime(read('pwdEndTime')),
  ];
  if (end !== undefined && end.getTime() <= Date.now())
    return {
      kind: 'not_possible',
      reason: 'The account is past its end time (pwdEndTime).',
      hint: 'Set pwdEndTime to a later time, or remove it.',
    };
  if (start !== undefined && start.getTime() > Date.now())
    return {
      kind: 'not_now',
      reason: `The account becomes valid at ${start.toISOString()} (pwdStartTime).`,
      hint: 'Wait, or set pwdStartTime to an earlier time.',
    };
  if (read('nsAccountLock').toUpperCase() === 'TRUE')
    return {
      kind: 'not_possible',
      reason: 'The account is disabled (nsAccountLock).',
      hint: 'Enable it in the directory: ipa user-enable NAME, or dsidm account unlock.',
    };
  return blockInActiveDirectory(read);
}

const ACCOUNTDISABLE = 0x2;
const LOCKOUT = 0x10;
const DONT_EXPIRE_PASSWORD = 0x1_0000;
const SMARTCARD_REQUIRED = 0x4_0000;

function mustChange(read: AttributeReader): boolean {
  return read('pwdLastSet') === '0' && (Number(read('userAccountControl')) & DONT_EXPIRE_PASSWORD) === 0;
}

/** Restrictions by hours and computers are visible only at a login. */
function blockInActiveDirectory(read: AttributeReader): AccountState['blocked'] {
  const control = Number(read('userAccountControl'));
  const computed = read('msDS-User-Account-Control-Computed');
  // lockoutTime remains set after the lock has ended; the computed flag is current.
  const isLocked = computed === '' ? Number(read('lockoutTime')) > 0 : (Number(computed) & LOCKOUT) !== 0;
  const expires = dateOfTicks(read('accountExpires'));
  if ((control & ACCOUNTDISABLE) !== 0)
    return {
      kind: 'not_possible',
      reason: 'The account is disabled.',
      hint: 'Enable it in the directory: Enable-ADAccount NAME.',
    };
  if ((control & SMARTCARD_REQUIRED) !== 0)
    return {
      kind: 'not_possible',
      reason: 'The account can log in with a smart card only.',
      hint: 'Allow logins with a password: Set-ADUser NAME -SmartcardLogonRequired $false.',
    };
  if (expires !== undefined && expires.getTime() <= Date.now())
    return {
      kind: 'not_possible',
      reason: 'The account has expired.',
      hint: 'Extend it in the directory: Set-ADAccountExpiration NAME, or Clear-ADAccountExpiration NAME.',
    };
  if (isLocked)
    return {
      kind: 'not_possible',
      reason: 'The account is locked after failed logins.',
      hint: 'Unlock it in the directory: Unlock-ADAccount NAME.',
    };
  if (mustChange(read))
    return {
      kind: 'not_possible',
      reason:
        'The account must change its password at the next login, which Active Directory does not allow over LDAP.',
      hint: 'Remove this requirement: Set-ADUser NAME -ChangePasswordAtLogon $false.',
    };
  return undefined;
}
