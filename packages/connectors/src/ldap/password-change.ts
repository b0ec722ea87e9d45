import { Attribute, BerWriter, Change, type Client, type PasswordPolicyControl } from 'ldapts';
import type { LdapConfig } from './config.ts';

const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1';

/**
 * Encodes the password modify request (RFC 3062): the account, the current password, and the new password.
 */
export function passwordModifyValue(dn: string, current: string | undefined, next: string): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeString(dn, 0x80);
  if (current !== undefined) writer.writeString(current, 0x81);
  writer.writeString(next, 0x82);
  writer.endSequence();
  return writer.buffer;
}

/** Encodes a password for Active Directory: quoted, UTF-16, little-endian. */
export function unicodePassword(password: string): Buffer {
  return Buffer.from(`"${password}"`, 'utf16le');
}

/**
 * The changes of `unicodePwd`. Deleting the current value and adding the new one is a change by the owner,
 * under all policy rules; replacing it is a reset by an administrator.
 */
export function unicodePwdChanges(current: string | undefined, next: string): Change[] {
  const change = (operation: 'add' | 'delete' | 'replace', password: string) =>
    new Change({
      operation,
      modification: new Attribute({ type: 'unicodePwd', values: [unicodePassword(password)] }),
    });
  return current === undefined ? [change('replace', next)] : [change('delete', current), change('add', next)];
}

export interface PasswordChange {
  readonly dn: string;
  /** Set if the account changes its own password. */
  readonly current?: string | undefined;
  readonly next: string;
  /** Other attributes to write with the password; `exop` cannot carry them. */
  readonly keep: readonly Change[];
}

/** Sends the change with the password policy control. Rejects with the error of the driver. */
export async function sendChange(
  client: Client,
  how: LdapConfig['passwordChange'],
  { dn, current, next, keep }: PasswordChange,
  control: PasswordPolicyControl,
): Promise<void> {
  switch (how) {
    case 'exop':
      await client.exop(PASSWORD_MODIFY, passwordModifyValue(dn, current, next), control);
      return;
    case 'unicodePwd':
      return client.modify(dn, [...unicodePwdChanges(current, next), ...keep], control);
    case 'userPassword': {
      const modification = new Attribute({ type: 'userPassword', values: [next] });
      return client.modify(dn, [new Change({ operation: 'replace', modification }), ...keep], control);
    }
  }
}
