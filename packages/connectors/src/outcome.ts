import type { RefusalKind, RotateResult, TestResult, VerifyResult } from './connector.ts';
import { asConnectorError, type ConnectorErrorKind } from './connector-error.ts';

/** Converts the error of a verification; `refused` only if the target itself refused the credential. */
export function verifyFailure(error: unknown): VerifyResult {
  const { kind, message: reason, hint } = asConnectorError(error);
  const next = hint === undefined ? {} : { hint };
  return kind === 'authentication'
    ? { outcome: 'refused', reason, ...next }
    : { outcome: 'unknown', kind, reason, ...next };
}

/** Converts an error before the change was sent: the target certainly kept its password. */
export function failureBeforeChange(error: unknown): RotateResult {
  const { kind, message: reason, hint } = asConnectorError(error);
  return {
    outcome: 'refused',
    kind: refusalKinds[kind],
    reason,
    ...(hint === undefined ? {} : { hint }),
  };
}

const refusalKinds: Readonly<Record<ConnectorErrorKind, RefusalKind>> = {
  authentication: 'authentication',
  // An administrator must act on these; a retry does not help.
  permission: 'permission',
  configuration: 'permission',
  not_allowed: 'permission',
  untrusted: 'permission',
  not_possible: 'not_possible',
  // These are temporary.
  not_now: 'not_now',
  unreachable: 'unreachable',
  protocol: 'unreachable',
};

/** Converts the error of a test, with its hint. */
export function testFailure(error: unknown, startedAtMs: number): TestResult {
  const failure = asConnectorError(error);
  return {
    ok: false,
    ...(failure.kind === 'authentication' ? { refused: true } : {}),
    latencyMs: Math.round(performance.now() - startedAtMs),
    problem: failure.message,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
  };
}
