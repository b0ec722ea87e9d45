import type { DiscoveredAccount, RotateResult, TestResult, VerifyResult } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import type { Call } from './messages.ts';

/** Why a worker was killed during a job or exited by itself. */
export type Loss = 'time' | 'cpu' | 'memory' | 'answer' | 'ended' | 'start' | 'cancelled' | 'closed';

const reasons: Readonly<Record<Loss, string>> = {
  time: 'The operation was ended: it did not stop within its time limit.',
  cpu: "The operation was ended: processing the target's answers used more CPU time than one operation may use.",
  memory:
    "The operation was ended: processing the target's answers used more memory than one operation may use.",
  answer: 'The operation was ended: its worker sent an invalid answer.',
  ended: 'The operation was ended: its worker exited before it answered.',
  start: 'The operation was ended: its worker did not start.',
  cancelled: 'The operation was cancelled.',
  closed: 'The operation was ended: the service is stopping.',
};

/** An answer of an operation. */
export type Answer = TestResult | VerifyResult | RotateResult | DiscoveredAccount[];

/**
 * Returns the result of an operation whose worker was lost. `changing`: the worker had permission to change
 * the target, so the result is ambiguous; without it, the target certainly kept its password. Throws
 * ConnectorError for `discover`.
 */
export function lostOutcome(call: Call, loss: Loss, changing: boolean, startedAtMs: number): Answer {
  const reason = reasons[loss];
  switch (call.operation) {
    case 'rotate':
      return changing
        ? { outcome: 'ambiguous', reason }
        : { outcome: 'refused', kind: 'unreachable', reason };
    case 'verify':
      return { outcome: 'unknown', kind: 'unreachable', reason };
    case 'test':
      return { ok: false, latencyMs: Math.round(performance.now() - startedAtMs), problem: reason };
    case 'discover':
      throw new ConnectorError('unreachable', reason);
  }
}
