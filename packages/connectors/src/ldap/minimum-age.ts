import type { Client } from 'ldapts';
import { attributesOf, dateOfTicks } from './attributes.ts';

/**
 * Active Directory answers a password that is too young to be changed like one that its policy does not take.
 * Whether it is too young is told by the time of the last change, and by the minimum age of the account's own
 * policy or of the domain. False where the account may not read them.
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
    // A duration in 100 ns, below zero.
    return changed.getTime() - Number(age) / 10_000 > Date.now();
  } catch {
    return false;
  }
}
