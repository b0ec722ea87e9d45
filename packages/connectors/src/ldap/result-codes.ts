import type { RefusalKind } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

/** A result that the server itself reported. */
export interface LdapResult {
  readonly code: number;
  readonly message: string;
}

/** All errors of the driver that carry a result code are the server's answers. */
export function asLdapResult(error: unknown): LdapResult | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return undefined;
  // The driver itself uses this one for an answer without a result.
  if (error.code === 248) return undefined;
  // The driver adds the code in words.
  const suffix = ` Code: 0x${error.code.toString(16)}`;
  const { message } = error;
  return { code: error.code, message: message.endsWith(suffix) ? message.slice(0, -suffix.length) : message };
}

export function said({ code, message }: LdapResult, secrets: readonly (string | undefined)[] = []): string {
  return `${serverText(message, secrets) || 'The server refused'} (result ${code})`;
}

/** Active Directory hides behind one result what it found; only these two come from comparing the password or the name. */
const adWrongPassword = /data (?:52e|525)\b/i;
const adOther = /data (53[0-9]|701|773|775)\b/i;

/** What a failed bind means. */
export function bindFailure(result: LdapResult, secrets: readonly string[]): ConnectorError {
  const text = said(result, secrets);
  const { code, message } = result;
  if (code === 49 && adOther.test(message) && !adWrongPassword.test(message))
    return new ConnectorError('protocol', text, {
      hint: 'The account is locked, expired, disabled or must change its password: see to that in the directory.',
    });
  if (code === 49) return new ConnectorError('authentication', text);
  if (code === 51 || code === 52) return new ConnectorError('unreachable', text);
  if (code === 8 || code === 13)
    return new ConnectorError('untrusted', text, { hint: 'The server wants encryption: set tls.' });
  return new ConnectorError('protocol', text);
}

/** What the server surely has not done. Others (`other`, time limits) leave it open. */
const refusals = new Map<number, RefusalKind>([
  [1, 'permission'],
  [2, 'permission'],
  [8, 'permission'],
  [10, 'permission'],
  [12, 'permission'],
  [13, 'permission'],
  [16, 'permission'],
  [17, 'permission'],
  [19, 'policy'],
  [21, 'policy'],
  [32, 'permission'],
  [34, 'permission'],
  [48, 'permission'],
  [49, 'authentication'],
  [50, 'permission'],
  [51, 'unreachable'],
  [52, 'unreachable'],
  [65, 'permission'],
]);

/** Why the server kept the password; undefined when it may have changed it all the same. */
export function refusalOf({ code, message }: LdapResult): RefusalKind | undefined {
  // unwillingToPerform: Active Directory for its password policy, OpenLDAP for a wrong old password and for much else.
  if (code === 53) {
    if (/old password/i.test(message)) return 'authentication';
    return /^0000052D/i.test(message) ? 'policy' : 'permission';
  }
  // The constraint that a wrong old password violates in Active Directory.
  if (code === 19 && /^00000056/.test(message)) return 'authentication';
  return refusals.get(code);
}
