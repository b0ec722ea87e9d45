import type { TargetPolicy } from '@claviger/outbound';

/** How one batch is sent: the allowed targets and the limits. */
export interface Way {
  readonly policy: TargetPolicy;
  readonly connectTimeoutMs: number;
  readonly totalTimeoutMs: number;
  /** Also aborts when `totalTimeoutMs` has passed. */
  readonly signal: AbortSignal;
}
