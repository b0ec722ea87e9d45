/**
 * All times are milliseconds of the monotonic clock `performance.now()`, so changes of the wall clock have no
 * effect.
 */
export interface Timing {
  /** How long Redis keeps the lease of a silent leader. */
  readonly leaseMs: number;
  /** Between two heartbeats. */
  readonly renewMs: number;
  /** A leader stops trusting its lease this long before Redis may drop it. */
  readonly marginMs: number;
  /** Candidates wait a random time up to this, so that they do not all become candidates at once. */
  readonly spreadMs: number;
}

export const DEFAULT_TIMING: Timing = timingOf(3_000);

/** After a leader's death, another leads within `leaseMs` and some hundred milliseconds. */
export function timingOf(leaseMs: number): Timing {
  return { leaseMs, renewMs: leaseMs / 4, marginMs: leaseMs / 6, spreadMs: leaseMs / 10 };
}

/** The state of the election as this replica knows it. */
export interface Heard {
  readonly now: number;
  readonly leads: 'me' | 'another' | 'nobody';
  /** Remaining time of the leader's lease. */
  readonly leaseLeftMs: number;
  /** The node that an operator nominated, if any. */
  readonly nominee: string | undefined;
}

/**
 * Until when the leader may trust its lease. Counted from before the renewal request, because Redis may have
 * set the lease at any moment after it.
 */
export function trustedUntil(requestedAt: number, timing: Timing): number {
  return requestedAt + timing.leaseMs - timing.marginMs;
}

/**
 * When to contact Redis next, and whether to be a candidate then. `random` is in [0, 1). Followers check when
 * the lease may end, at random intervals.
 */
export function nextTurn(
  heard: Heard,
  node: string,
  timing: Timing,
  random: number,
): { readonly at: number; readonly stand: boolean } {
  const spread = timing.spreadMs * random;
  if (heard.leads === 'me') return { at: heard.now + timing.renewMs, stand: false };
  if (heard.leads === 'another') {
    const end = heard.leaseLeftMs + spread;
    return end < timing.renewMs
      ? { at: heard.now + end, stand: true }
      : { at: heard.now + timing.renewMs * (0.9 + 0.1 * random), stand: true };
  }
  const wait = heard.nominee === node ? 0 : spread;
  return { at: heard.now + Math.max(1, wait), stand: heard.nominee === undefined || heard.nominee === node };
}

/** Pause before a duty's next run. `random` in [0, 1) keeps replicas and duties out of step. */
export function dutyPauseMs(everyMs: number, failures: number, random: number): number {
  const backoff = Math.min(everyMs * 2 ** Math.min(failures, 10), Math.max(everyMs, 5_000));
  return backoff * (0.8 + 0.4 * random);
}
