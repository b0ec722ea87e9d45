import type { TargetPolicy } from '@claviger/outbound';

/** How one batch is sent: what may be reached, and the limits. */
export interface Way {
  readonly policy: TargetPolicy;
  readonly connectTimeoutMs: number;
  readonly totalTimeoutMs: number;
  /** Aborts also when `totalTimeoutMs` is over. */
  readonly signal: AbortSignal;
}
