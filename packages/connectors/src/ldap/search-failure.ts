import { ConnectorError } from '../connector-error.ts';
import { BUSY_HINT, type Finding, type LdapResult, REFERRAL_HINT, said, TLS_HINT } from './result-codes.ts';

const LIMIT_HINT =
  'Set a narrower baseDn or filter, index nameAttribute on the server, or raise its limits for this login (OpenLDAP: olcLimits).';

const findings = new Map<number, Finding>([
  [3, { kind: 'not_now', what: 'The search took too long', hint: LIMIT_HINT }],
  [4, { kind: 'permission', what: 'The search finds more than this login may read', hint: LIMIT_HINT }],
  [8, { kind: 'untrusted', hint: TLS_HINT }],
  [10, { kind: 'configuration', what: 'The server refers to another one', hint: REFERRAL_HINT }],
  [11, { kind: 'permission', what: 'The search passes a limit of the server', hint: LIMIT_HINT }],
  [13, { kind: 'untrusted', hint: TLS_HINT }],
  [
    32,
    { kind: 'configuration', what: 'The directory shows no such place', hint: 'Check baseDn of the target.' },
  ],
  [34, { kind: 'configuration', hint: 'Check baseDn of the target.' }],
  [51, { kind: 'not_now', hint: BUSY_HINT }],
  [52, { kind: 'not_now', hint: BUSY_HINT }],
]);

/** Why a directory does not tell what it was asked. */
export function searchFailure(result: LdapResult, cause: unknown): ConnectorError {
  const { kind, what, hint } = findings.get(result.code) ?? {
    kind: 'permission' as const,
    hint: 'Let this login read the accounts under baseDn.',
  };
  return new ConnectorError(kind, said(result, [], what), { cause, ...(hint === undefined ? {} : { hint }) });
}
