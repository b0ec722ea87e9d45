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

/** Who changes the password, and how. */
export type Change = Pick<LdapConfig, 'passwordChange' | 'rotateAs'>;

type Refusal = Finding<RefusalKind> & { readonly hint: string };

const QUALITY: Refusal = {
  kind: 'policy',
  hint: 'See pwdCheckQuality, pwdMinLength, pwdMaxLength and pwdInHistory of the password policy.',
};

const TOO_YOUNG: Refusal = {
  kind: 'not_now',
  what: 'The password was changed a short while ago',
  hint: 'Wait for the minimum age (pwdMinAge), lower it, or let an administrator who is above the policy change it (rotateAs admin).',
};

const WRONG_OLD: Refusal = {
  kind: 'authentication',
  what: 'The current password is not the one that the directory holds',
  hint: 'Somebody has changed it: let an administrator set another one (rotateAs admin, `claviger entries rotate --secret-lost`).',
};

/** Why the server surely kept the password; undefined when it may have changed it all the same. */
export function changeRefusal(result: LdapResult, by: Change): Refusal | undefined {
  return byPolicy(result, by) ?? byWindows(result, by) ?? byCode(result, by);
}

/** By the password policy control, which says more than the code. */
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
            ? 'The policy wants the current password with the change (pwdSafeModify): set passwordChange exop.'
            : 'The policy binds this administrator too (pwdSafeModify): give it manage access to userPassword.',
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

/** In OpenLDAP since 2.6; the driver does not name it. */
const PASSWORD_TOO_LONG = 9;

/** By the error code with which Active Directory begins its message, whatever the result code. */
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

/** What the server surely has not done. Others (`other`, limits of time) leave it open. */
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
      return { kind: 'permission', what: 'The server refers to another one', hint: REFERRAL_HINT };
    case 19:
      return /too young|minimum (?:password )?age/i.test(message) ? TOO_YOUNG : QUALITY;
    case 21:
      return QUALITY;
    case 32:
    case 34:
      return {
        kind: 'permission',
        hint: 'The server knows no such account: check userDn, or baseDn and filter.',
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
 * `unwillingToPerform`: OpenLDAP for a wrong old password, a database that takes no changes, and much else.
 */
function unwilling(message: string): Refusal {
  if (/old password/i.test(message)) return WRONG_OLD;
  if (/shadow context/i.test(message))
    return { kind: 'permission', what: 'The server is a read-only copy', hint: REFERRAL_HINT };
  if (/operation restricted|read.?only/i.test(message))
    return {
      kind: 'not_now',
      what: 'The directory takes no changes now',
      hint: 'End its maintenance (OpenLDAP: olcReadOnly FALSE, olcRestrictOps).',
    };
  return { kind: 'permission', hint: 'See the log of the server for what it does not do.' };
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
