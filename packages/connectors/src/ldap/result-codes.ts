import type { PasswordPolicyControl } from 'ldapts';
import type { ConnectorErrorKind } from '../connector-error.ts';
import { serverText } from '../server-text.ts';

/** A result from the server itself. */
export interface LdapResult {
  readonly code: number;
  readonly message: string;
  /**
   * The error of the password policy control, a `PasswordPolicyError`, if it was requested and returned one.
   */
  readonly policy?: number;
}

/** The interpretation of a result: its kind, what happened, and what to do. */
export interface Finding<Kind extends string = ConnectorErrorKind> {
  readonly kind: Kind;
  readonly what?: string;
  readonly hint?: string;
}

/** Errors of the driver with a result code are answers of the server; `control` was sent with the request. */
export function asLdapResult(error: unknown, control?: PasswordPolicyControl): LdapResult | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number') return undefined;
  // The driver itself uses this code for an answer without a result.
  if (error.code === 248) return undefined;
  // The driver appends the code as text.
  const suffix = ` Code: 0x${error.code.toString(16)}`;
  const { message } = error;
  const policy = control?.value?.error;
  return {
    code: error.code,
    message: message.endsWith(suffix) ? message.slice(0, -suffix.length) : message,
    ...(policy === undefined ? {} : { policy }),
  };
}

/** Joins what happened, the server's message without secrets, and the code. */
export function said(
  { code, message }: LdapResult,
  secrets: readonly (string | undefined)[] = [],
  what?: string,
): string {
  const words = serverText(message, secrets);
  const text = [what, words].filter((part) => part !== undefined && part !== '').join(': ');
  return `${text || 'The server refused'} (result ${code})`;
}

/** Returns the Windows error code at the start of Active Directory's message, such as `0000052D`. */
export function windowsError(message: string): string | undefined {
  return /^([0-9A-F]{8}): /i.exec(message)?.[1]?.toUpperCase();
}

export const REFERRAL_HINT =
  'Referrals are not followed: set the host of the resource to the writable server that holds the account.';
export const TLS_HINT = 'The server requires encryption: set tls, with startTls for StartTLS on port 389.';
export const BUSY_HINT = 'The server is busy, stopping or under maintenance: try again later.';
