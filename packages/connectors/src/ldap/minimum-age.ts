import type { Client } from 'ldapts';
import { attributesOf, dateOfTicks } from './attributes.ts';

/**
 * Whether the password is too young to be changed. Active Directory reports this like a policy violation, so
 * it is computed from the time of the last change and the minimum age of the account's policy or of the
 * domain. Returns false if the account may not read them.
 */
export async function isTooYoung(client: Client, dn: string): Promise<boolean> {
  const read = async (base: string, ...attributes: string[]) =>
    attributesOf((await client.search(base, { scope: 'base', attributes })).searchEntries[0]);
  try {
    const account = await read(dn, 'pwdLastSet', 'msDS-ResultantPSO');
    const changed = dateOfTicks(account('pwdLastSet'));
    if (changed === undefined) return false;
    const own = account('msDS-ResultantPSO');
    const policy =
      own === ''
        ? await read((await read('', 'defaultNamingContext'))('defaultNamingContext'), 'minPwdAge')
        : await read(own, 'msDS-MinimumPasswordAge');
    const age = own === '' ? policy('minPwdAge') : policy('msDS-MinimumPasswordAge');
    // A negative duration in 100 ns.
    return changed.getTime() - Number(age) / 10_000 > Date.now();
  } catch {
    return false;
  }
}
