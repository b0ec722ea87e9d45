/** All times are milliseconds of one monotonic clock, `performance.now()`: a step of the wall clock changes nothing. */
export interface Timing {
  /** How long Redis keeps a leader that is not heard of. */
  readonly leaseMs: number;
  /** Between two heartbeats. */
  readonly renewMs: number;
  /** A leader stops trusting itself this long before Redis may forget it. */
  readonly marginMs: number;
  /** Candidates wait up to this long, at random, so that not all stand at once. */
  readonly spreadMs: number;
}

export const DEFAULT_TIMING: Timing = timingOf(3_000);

/** Another leads within `leaseMs` and some hundred milliseconds of a leader's death. */
export function timingOf(leaseMs: number): Timing {
  return { leaseMs, renewMs: leaseMs / 4, marginMs: leaseMs / 6, spreadMs: leaseMs / 10 };
}

/** What a replica has heard of the election, with its own clock. */
export interface Heard {
  readonly now: number;
  readonly leads: 'me' | 'another' | 'nobody';
  /** What remains of the leader's lease. */
  readonly leaseLeftMs: number;
  /** The node that an operator wants to lead, if any. */
  readonly nominee: string | undefined;
}

/**
 * Until when the leader may trust itself: from before the request that renewed the lease, since Redis may have set it at
 * any moment after that.
 */
export function trustedUntil(requestedAt: number, timing: Timing): number {
  return requestedAt + timing.leaseMs - timing.marginMs;
}

/**
 * When to speak to Redis next, and whether to stand as a candidate then. `random` is in [0, 1). Followers look the moment
 * the lease may end, at random intervals from each other.
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

/** Pause before a duty's next run. `random` in [0, 1) keeps replicas and duties from running in step. */
export function dutyPauseMs(everyMs: number, failures: number, random: number): number {
  const backoff = Math.min(everyMs * 2 ** Math.min(failures, 10), Math.max(everyMs, 5_000));
  return backoff * (0.8 + 0.4 * random);
}
