import { ConnectorError } from '../connector-error.ts';
import { BUSY_HINT, type Finding, type LdapResult, REFERRAL_HINT, said, TLS_HINT } from './result-codes.ts';

const LIMIT_HINT =
  'Set a narrower baseDn or filter, index nameAttribute on the server, or raise its limits for this login (OpenLDAP: olcLimits).';

const findings = new Map<number, Finding>([
  [3, { kind: 'not_now', what: 'The search took too long', hint: LIMIT_HINT }],
  [4, { kind: 'permission', what: 'The search exceeds the size limit of this login', hint: LIMIT_HINT }],
  [8, { kind: 'untrusted', hint: TLS_HINT }],
  [10, { kind: 'configuration', what: 'The server returned a referral', hint: REFERRAL_HINT }],
  [11, { kind: 'permission', what: 'The search exceeds a limit of the server', hint: LIMIT_HINT }],
  [13, { kind: 'untrusted', hint: TLS_HINT }],
  [
    32,
    {
      kind: 'configuration',
      what: 'The base of the search does not exist',
      hint: 'Check baseDn of the target.',
    },
  ],
  [34, { kind: 'configuration', hint: 'Check baseDn of the target.' }],
  [51, { kind: 'not_now', hint: BUSY_HINT }],
  [52, { kind: 'not_now', hint: BUSY_HINT }],
]);

/** Converts a failed search to an error. */
export function searchFailure(result: LdapResult, cause: unknown): ConnectorError {
  const { kind, what, hint } = findings.get(result.code) ?? {
    kind: 'permission' as const,
    hint: 'Let this login read the accounts under baseDn.',
  };
  return new ConnectorError(kind, said(result, [], what), { cause, ...(hint === undefined ? {} : { hint }) });
}
