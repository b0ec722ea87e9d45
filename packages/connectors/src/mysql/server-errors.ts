import type { RefusalKind } from '../connector.ts';

/** An error that the server itself reported. */
export interface ServerError {
  readonly errno: number;
  readonly code: string;
  readonly sqlMessage: string;
}

export function asServerError(error: unknown): ServerError | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('sqlMessage' in error)) return undefined;
  const { errno, sqlMessage } = error;
  if (typeof errno !== 'number' || errno < 1000 || typeof sqlMessage !== 'string') return undefined;
  return { errno, sqlMessage, code: 'code' in error ? String(error.code) : String(errno) };
}

/** ER_OPTION_PREVENTS_STATEMENT: read-only, or a password policy that does not accept hashes. */
export const OPTION_PREVENTS_STATEMENT = 1290;

/** Not valid by the policy; contradicts the history; the current password must be given. */
const policy = new Set([1819, 3638, 3639]);
/** Locked, deadlocked, out of memory, disk or threads, being shut down: the same may pass later. */
const passing = new Set([1021, 1037, 1038, 1041, 1053, 1105, 1205, 1206, 1213, 1317, 1969, 3024]);

/** Why the server kept the password, from the error that it reported for the statement itself. */
export function refusalKind(errno: number): RefusalKind {
  if (policy.has(errno)) return 'policy';
  return passing.has(errno) ? 'unreachable' : 'permission';
}

export type LoginVerdict = 'refused' | 'unreachable' | 'unproven';

/** What an error during login says about the password. */
export function loginVerdict(errno: number): LoginVerdict {
  // ER_ACCESS_DENIED_ERROR is the only one that comes from comparing the password.
  if (errno === 1045) return 'refused';
  return passing.has(errno) || errno === 1040 || errno === 1203 ? 'unreachable' : 'unproven';
}

/** What to do about errors during login that say nothing about the password. */
export function loginHint(errno: number): string | undefined {
  switch (errno) {
    case 1862:
    case 1820:
      return 'The password of the account has expired: let an administrator rotate it.';
    case 3118:
    case 4151:
      return 'The account is locked on the server: unlock it there.';
    case 1130:
    case 1129:
      return "Let the accounts in from Claviger's address.";
    case 1698:
    case 1251:
      return 'The account does not log in by a password of its own.';
    default:
      return undefined;
  }
}
