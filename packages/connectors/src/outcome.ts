import type { RefusalKind, RotateResult, TestResult, VerifyResult } from './connector.ts';
import { asConnectorError, type ConnectorErrorKind } from './connector-error.ts';

/** A failed verification: refused only where the target itself refused the credential. */
export function verifyFailure(error: unknown): VerifyResult {
  const failure = asConnectorError(error);
  return {
    outcome: failure.kind === 'authentication' ? 'refused' : 'unknown',
    reason: failure.message,
  };
}

/** A rotation that failed before the change was sent: the target surely kept its password. */
export function failureBeforeChange(error: unknown): RotateResult {
  const failure = asConnectorError(error);
  return { outcome: 'refused', kind: refusalKinds[failure.kind], reason: failure.message };
}

const refusalKinds: Readonly<Record<ConnectorErrorKind, RefusalKind>> = {
  authentication: 'authentication',
  // A person must act on all of these; trying again changes nothing.
  permission: 'permission',
  configuration: 'permission',
  not_allowed: 'permission',
  untrusted: 'permission',
  // These pass.
  unreachable: 'unreachable',
  protocol: 'unreachable',
};

/** A failed test, with its hint. */
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
