import { PasswordPolicyError } from 'ldapts';
import { ConnectorError } from '../connector-error.ts';
import { BUSY_HINT, type Finding, type LdapResult, REFERRAL_HINT, said, TLS_HINT } from './result-codes.ts';

/** Converts a failed bind to an error; the message contains none of the secrets. */
export function bindFailure(result: LdapResult, secrets: readonly string[]): ConnectorError {
  const { kind, what, hint } = findingOf(result);
  return new ConnectorError(kind, said(result, secrets, what), hint === undefined ? {} : { hint });
}

const LOCKED: Finding = {
  kind: 'not_possible',
  what: 'The account is locked',
  hint: 'Unlock it: OpenLDAP: remove pwdAccountLockedTime, and see pwdEndTime, pwdStartTime and pwdMaxIdle; Active Directory: Unlock-ADAccount NAME.',
};

const EXPIRED: Finding = {
  kind: 'not_possible',
  what: 'The password has expired',
  hint: 'Set a new one as an administrator: rotateAs admin, and `claviger entries rotate --secret-lost`.',
};

/** By the password policy control (draft-behera-ldap-password-policy). */
const policyFindings = new Map<number, Finding>([
  [PasswordPolicyError.PasswordExpired, EXPIRED],
  [PasswordPolicyError.AccountLocked, LOCKED],
]);

/**
 * Active Directory reports the cause in the message of result 49, after `data`. Only the first three are
 * about the credential.
 */
const activeDirectory = new Map<string, Finding>([
  ['52e', { kind: 'authentication' }],
  ['525', { kind: 'authentication' }],
  ['56', { kind: 'authentication' }],
  [
    '52f',
    {
      kind: 'not_possible',
      what: 'The account may not log in this way',
      hint: 'An account policy or the group Protected Users forbids logins by password: see the authentication policy of the account.',
    },
  ],
  [
    '530',
    {
      kind: 'not_now',
      what: 'The account may not log in at this time',
      hint: 'See the logon hours of the account: Get-ADUser NAME -Properties logonHours.',
    },
  ],
  [
    '531',
    {
      kind: 'not_possible',
      what: 'The account may not log in from here',
      hint: 'Let it log in from every computer: Set-ADUser NAME -LogonWorkstations $null.',
    },
  ],
  ['532', EXPIRED],
  [
    '533',
    {
      kind: 'not_possible',
      what: 'The account is disabled',
      hint: 'Enable it in the directory: Enable-ADAccount NAME.',
    },
  ],
  [
    '569',
    {
      kind: 'not_possible',
      what: 'The account may not log in over the network',
      hint: 'Give it the user right "Access this computer from the network" on the domain controllers.',
    },
  ],
  [
    '701',
    {
      kind: 'not_possible',
      what: 'The account has expired',
      hint: 'Extend it in the directory: Set-ADAccountExpiration NAME, or Clear-ADAccountExpiration NAME.',
    },
  ],
  [
    '773',
    {
      kind: 'not_possible',
      what: 'The password must be changed at the next login, which Active Directory does not allow over LDAP',
      hint: 'Remove this requirement: Set-ADUser NAME -ChangePasswordAtLogon $false.',
    },
  ],
  ['775', LOCKED],
]);

const findings = new Map<number, Finding>([
  [3, { kind: 'not_now', hint: BUSY_HINT }],
  [
    7,
    {
      kind: 'not_possible',
      hint: 'The server refuses simple binds, which Claviger needs: allow them for its address.',
    },
  ],
  [8, { kind: 'untrusted', hint: TLS_HINT }],
  [10, { kind: 'configuration', what: 'The server returned a referral', hint: REFERRAL_HINT }],
  [13, { kind: 'untrusted', hint: TLS_HINT }],
  [
    32,
    {
      kind: 'configuration',
      hint: 'The server has no such account: check userDn or loginName of the target.',
    },
  ],
  [
    34,
    { kind: 'configuration', hint: 'The name is not a valid distinguished name: check userDn or loginName.' },
  ],
  [
    48,
    {
      kind: 'not_possible',
      what: 'The account has no password login',
      hint: 'Give it a userPassword.',
    },
  ],
  [51, { kind: 'not_now', hint: BUSY_HINT }],
  [52, { kind: 'not_now', hint: BUSY_HINT }],
]);

function findingOf({ code, message, policy }: LdapResult): Finding {
  if (code === 49) {
    const told = policy === undefined ? undefined : policyFindings.get(policy);
    if (told !== undefined) return told;
    const data = /AcceptSecurityContext error, data ([0-9a-f]{1,8})\b/i.exec(message)?.[1];
    if (data === undefined)
      return {
        kind: 'authentication',
        hint: 'Many directories give the same answer for a locked account: check its lock. OpenLDAP reports it with olcPPolicyUseLockout.',
      };
    return (
      activeDirectory.get(data.toLowerCase()) ?? {
        kind: 'protocol',
        hint: 'Look up the number after "data": it is a Windows error code in hexadecimal.',
      }
    );
  }
  // 389 Directory Server; also OpenLDAP when simple binds are disabled.
  if (code === 19 && /retry limit|try later/i.test(message)) return { ...LOCKED, kind: 'not_now' };
  if (code === 53 && /inactivated|disabled/i.test(message))
    return {
      kind: 'not_possible',
      what: 'The account is disabled',
      hint: 'Enable it in the directory (389 Directory Server, FreeIPA: ipa user-enable NAME).',
    };
  if (code === 53 && /locked/i.test(message)) return LOCKED;
  if (code === 53 && /simple/i.test(message))
    return {
      kind: 'not_possible',
      hint: 'The server refuses simple binds, which Claviger needs: remove bind_simple from olcDisallows.',
    };
  return (
    findings.get(code) ?? {
      kind: 'protocol',
      hint: 'The result code does not show whether the password is valid: see the log of the server.',
    }
  );
}
