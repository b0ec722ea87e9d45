import type { DiscoveredAccount, RotateResult, TestResult, VerifyResult } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import type { Call } from './messages.ts';

/** Why a worker was ended in the middle of a job, or ended itself. */
export type Loss = 'time' | 'cpu' | 'memory' | 'answer' | 'ended' | 'start' | 'cancelled' | 'closed';

const reasons: Readonly<Record<Loss, string>> = {
  time: 'The operation was ended: it did not stop when its time was over.',
  cpu: 'The operation was ended: what the target sent took more computing time than an operation may have.',
  memory: 'The operation was ended: what the target sent took more memory than an operation may have.',
  answer: 'The operation was ended: its worker gave an answer of no known form.',
  ended: 'The operation was ended: its worker stopped before it answered.',
  start: 'The operation was ended: its worker did not start.',
  cancelled: 'The operation was cancelled.',
  closed: 'The operation was ended: the service stops.',
};

/** An answer of an operation. */
export type Answer = TestResult | VerifyResult | RotateResult | DiscoveredAccount[];

/**
 * What an operation answers whose worker is lost. `changing`: the worker was told that it may change the
 * target. Then nobody knows whether it did; before, the target surely kept its password. Throws
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
