import { PasswordPolicyError } from 'ldapts';
import type { RefusalKind } from '../connector.ts';
import type { LdapConfig } from './config.ts';
import {
  BUSY_HINT,
  type Finding,
  type LdapResult,
  REFERRAL_HINT,
  TLS_HINT,
  windowsError,
} from './result-codes.ts';

/** Who changes the password, and with which operation. */
export type Change = Pick<LdapConfig, 'passwordChange' | 'rotateAs'>;

type Refusal = Finding<RefusalKind> & { readonly hint: string };

const QUALITY: Refusal = {
  kind: 'policy',
  hint: 'See pwdCheckQuality, pwdMinLength, pwdMaxLength and pwdInHistory of the password policy.',
};

const TOO_YOUNG: Refusal = {
  kind: 'not_now',
  what: 'The password was changed too recently',
  hint: 'Wait for the minimum age (pwdMinAge), lower it, or set the password as an administrator who is exempt from the policy (rotateAs admin).',
};

const WRONG_OLD: Refusal = {
  kind: 'authentication',
  what: 'The current password differs from the one in the directory',
  hint: 'It was changed outside Claviger: set a new one as an administrator (rotateAs admin, `claviger entries rotate --secret-lost`).',
};

/** Returns why the server certainly kept the password; undefined if it may have changed it. */
export function changeRefusal(result: LdapResult, by: Change): Refusal | undefined {
  return byPolicy(result, by) ?? byWindows(result, by) ?? byCode(result, by);
}

/** By the password policy control, which is more precise than the code. */
function byPolicy({ code, policy }: LdapResult, by: Change): Refusal | undefined {
  switch (policy) {
    case PasswordPolicyError.AccountLocked:
      return {
        kind: 'not_possible',
        hint: 'Unlock the account in the directory: remove pwdAccountLockedTime.',
      };
    case PasswordPolicyError.PasswordModNotAllowed:
      return {
        kind: 'permission',
        hint: 'The policy forbids accounts to change their own password: set rotateAs admin, or pwdAllowUserChange TRUE.',
      };
    case PasswordPolicyError.MustSupplyOldPassword:
      if (code === 53) return WRONG_OLD;
      return {
        kind: 'permission',
        hint:
          by.rotateAs === 'self'
            ? 'The policy requires the current password with the change (pwdSafeModify): set passwordChange exop.'
            : 'The policy applies to this administrator too (pwdSafeModify): grant it manage access to userPassword.',
      };
    case PasswordPolicyError.InsufficientPasswordQuality:
    case PasswordPolicyError.PasswordTooShort:
    case PasswordPolicyError.PasswordInHistory:
    case PASSWORD_TOO_LONG:
      return QUALITY;
    case PasswordPolicyError.PasswordTooYoung:
      return TOO_YOUNG;
    default:
      return undefined;
  }
}

/** OpenLDAP since 2.6; the driver has no name for it. */
const PASSWORD_TOO_LONG = 9;

/** By the error code at the start of Active Directory's message, independent of the result code. */
function byWindows({ message }: LdapResult, by: Change): Refusal | undefined {
  switch (windowsError(message)) {
    case '0000052D':
      return {
        kind: 'policy',
        hint: 'See length, complexity and history of the policy: Get-ADDefaultDomainPasswordPolicy, Get-ADUserResultantPasswordPolicy NAME.',
      };
    case '00000056':
      return WRONG_OLD;
    case '00000005':
      return rights(by);
    case '0000001F':
    case '00002077':
      return {
        kind: 'permission',
        hint: 'Active Directory changes passwords over encrypted connections only: set tls.',
      };
    default:
      return undefined;
  }
}

/** Codes that exclude a change. Others (`other`, time limits) do not. */
function byCode({ code, message }: LdapResult, by: Change): Refusal | undefined {
  switch (code) {
    case 2:
    case 12:
    case 16:
    case 17:
    case 65:
      return {
        kind: 'permission',
        hint: 'The server does not change passwords this way: set passwordChange to exop, userPassword or (Active Directory) unicodePwd.',
      };
    case 8:
    case 13:
      return { kind: 'permission', hint: TLS_HINT };
    case 10:
      return { kind: 'permission', what: 'The server returned a referral', hint: REFERRAL_HINT };
    case 19:
      return /too young|minimum (?:password )?age/i.test(message) ? TOO_YOUNG : QUALITY;
    case 21:
      return QUALITY;
    case 32:
    case 34:
      return {
        kind: 'permission',
        hint: 'The server has no such account: check userDn, or baseDn and filter.',
      };
    case 49:
      return WRONG_OLD;
    case 1:
    case 48:
    case 50:
      return rights(by);
    case 51:
    case 52:
      return { kind: 'not_now', hint: BUSY_HINT };
    case 53:
      return unwilling(message);
    default:
      return undefined;
  }
}

/**
 * `unwillingToPerform`: OpenLDAP returns it for a wrong current password, a read-only database and other
 * causes.
 */
function unwilling(message: string): Refusal {
  if (/old password/i.test(message)) return WRONG_OLD;
  if (/shadow context/i.test(message))
    return { kind: 'permission', what: 'The server is a read-only copy', hint: REFERRAL_HINT };
  if (/operation restricted|read.?only/i.test(message))
    return {
      kind: 'not_now',
      what: 'The directory accepts no changes now',
      hint: 'End its maintenance (OpenLDAP: olcReadOnly FALSE, olcRestrictOps).',
    };
  return { kind: 'permission', hint: 'See the log of the server for the reason.' };
}

function rights({ rotateAs }: Change): Refusal {
  return {
    kind: 'permission',
    hint:
      rotateAs === 'self'
        ? 'Let accounts change their own password (OpenLDAP: by self write on userPassword), or set rotateAs admin.'
        : 'Let the administrator set passwords (OpenLDAP: manage access to userPassword, write access to pwdAccountLockedTime and pwdReset; Active Directory: Reset password).',
  };
}
