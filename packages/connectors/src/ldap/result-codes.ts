import type { PasswordPolicyControl } from 'ldapts';
import type { ConnectorErrorKind } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

/** A result that the server itself reported. */
export interface LdapResult {
  readonly code: number;
  readonly message: string;
  /**
   * What the server's password policy adds, where it was asked and had something to say: a
   * `PasswordPolicyError`.
   */
  readonly policy?: number;
}

/** What a result means: of which kind it is, what happened, and what to do. */
export interface Finding<Kind extends string = ConnectorErrorKind> {
  readonly kind: Kind;
  readonly what?: string;
  readonly hint?: string;
}

/**
 * All errors of the driver that carry a result code are the server's answers; `control` is what went with the
 * request.
 */
export function asLdapResult(error: unknown, control?: PasswordPolicyControl): LdapResult | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return undefined;
  // The driver itself uses this one for an answer without a result.
  if (error.code === 248) return undefined;
  // The driver adds the code in words.
  const suffix = ` Code: 0x${error.code.toString(16)}`;
  const { message } = error;
  const policy = control?.value?.error;
  return {
    code: error.code,
    message: message.endsWith(suffix) ? message.slice(0, -suffix.length) : message,
    ...(policy === undefined ? {} : { policy }),
  };
}

/** What happened, the server's own words without secrets, and the code. */
export function said(
  { code, message }: LdapResult,
  secrets: readonly (string | undefined)[] = [],
  what?: string,
): string {
  const words = serverText(message, secrets);
  const text = [what, words].filter((part) => part !== undefined && part !== '').join(': ');
  return `${text || 'The server refused'} (result ${code})`;
}

/** The Windows error with which Active Directory begins its message, such as `0000052D`. */
export function windowsError(message: string): string | undefined {
  return /^([0-9A-F]{8}): /i.exec(message)?.[1]?.toUpperCase();
}

export const REFERRAL_HINT =
  'Referrals are not followed: set the host of the resource to the server that holds the account and takes changes.';
export const TLS_HINT = 'The server wants encryption: set tls, with startTls for StartTLS on port 389.';
export const BUSY_HINT = 'The server is busy, being stopped or under maintenance: it takes this later.';
