import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dutyPauseMs, nextTurn, timingOf, trustedUntil } from './election-rules.ts';

const someTiming = fc.integer({ min: 300, max: 60_000 }).map(timingOf);
const someRandom = fc.integer({ min: 0, max: 999 }).map((n) => n / 1_000);
const someTime = fc.integer({ min: 0, max: 1_000_000_000 });

test('F-26 a leader trusts its lease for less than its length, from before the request, by a monotonic clock', () => {
  fc.assert(
    fc.property(someTiming, someTime, someTime, (timing, requestedAt, answeredAfter) => {
      const until = trustedUntil(requestedAt, timing);
      // Redis set the lease between request and answer, at the earliest at the request.
      expect(until).toBeLessThan(requestedAt + timing.leaseMs);
      expect(trustedUntil(requestedAt + answeredAfter, timing)).toBeGreaterThanOrEqual(until);
    }),
  );
});

test('a leader renews its lease several times before it stops trusting it', () => {
  fc.assert(
    fc.property(someTiming, someTime, someRandom, (timing, now, random) => {
      const turn = nextTurn(
        { now, leads: 'me', leaseLeftMs: timing.leaseMs, nominee: undefined },
        'a',
        timing,
        random,
      );
      expect(turn.stand).toBe(false);
      expect(turn.at + 2 * timing.renewMs).toBeLessThan(trustedUntil(now, timing));
    }),
  );
});

test('a follower checks soon after the lease may end, and never later than a heartbeat', () => {
  fc.assert(
    fc.property(someTiming, someTime, someRandom, fc.nat(60_000), (timing, now, random, left) => {
      const leaseLeftMs = Math.min(left, timing.leaseMs);
      const turn = nextTurn({ now, leads: 'another', leaseLeftMs, nominee: undefined }, 'a', timing, random);
      expect(turn.stand).toBe(true);
      expect(turn.at - now).toBeLessThanOrEqual(timing.renewMs);
      expect(turn.at - now).toBeLessThanOrEqual(Math.max(leaseLeftMs + timing.spreadMs, timing.renewMs));
    }),
  );
});

test('without a leader every replica soon becomes a candidate, unless another one is nominated', () => {
  fc.assert(
    fc.property(someTiming, someTime, someRandom, (timing, now, random) => {
      const heard = { now, leads: 'nobody' as const, leaseLeftMs: 0 };
      const free = nextTurn({ ...heard, nominee: undefined }, 'a', timing, random);
      expect(free.stand).toBe(true);
      expect(free.at - now).toBeLessThanOrEqual(Math.max(1, timing.spreadMs));
      expect(nextTurn({ ...heard, nominee: 'a' }, 'a', timing, random)).toEqual({ at: now + 1, stand: true });
      expect(nextTurn({ ...heard, nominee: 'b' }, 'a', timing, random).stand).toBe(false);
    }),
  );
});

test('a failing duty waits longer each time, up to five seconds or its own pause', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600_000 }),
      fc.nat(1_000),
      someRandom,
      (everyMs, failures, random) => {
        const pauseMs = dutyPauseMs(everyMs, failures, random);
        expect(pauseMs).toBeGreaterThanOrEqual(everyMs * 0.8);
        expect(pauseMs).toBeLessThanOrEqual(Math.max(everyMs, 5_000) * 1.2);
      },
    ),
  );
});
