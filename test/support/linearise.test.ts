import { describe, expect, test } from 'vitest';
import { type Call, FITS, type State, step } from './elevation-model.ts';
import { linearise, type Observed } from './linearise.ts';

const MOVES = ['approve', 'actuate', 'revoke', 'deny'] as const;
const CODES = ['ok', 'wrong_status', 'race_lost'] as const;

/** Random numbers that are the same in each run. */
function chance(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const seen = (move: Call['move'], code: string, sentAtMs: number, answeredAtMs: number): Observed<Call> => ({
  call: { move, code },
  sentAtMs,
  answeredAtMs,
});

/**
 * The history of a hundred callers of one thread, which serves one call each millisecond; all answers are
 * delayed.
 */
function ofOneThread(initial: State, seed: number): Observed<Call>[] {
  const random = chance(seed);
  let state = initial;
  return Array.from({ length: 100 }, (_, atMs) => {
    const move = MOVES[random(MOVES.length)]!;
    const refusal = move === 'actuate' && state === 'actuating' ? 'race_lost' : CODES[1 + random(2)]!;
    const call = { move, code: FITS[move].includes(state) ? 'ok' : refusal };
    state = step(state, call)!;
    return { call, sentAtMs: atMs - random(40), answeredAtMs: atMs + random(40) };
  });
}

/** Tries every order, as a reference. */
function anyOrder(left: readonly Observed<Call>[], state: State): boolean {
  if (left.length === 0) return true;
  return left.some((first) => {
    const rest = left.filter((each) => each !== first);
    if (rest.some((other) => other.answeredAtMs < first.sentAtMs)) return false;
    const after = step(state, first.call);
    return after !== undefined && anyOrder(rest, after);
  });
}

test('for short histories the checker agrees with a search through every order', () => {
  const random = chance(1);
  const verdicts = { possible: 0, impossible: 0 };
  for (let n = 0; n < 4_000; n += 1) {
    const history = Array.from({ length: 1 + random(6) }, () => {
      const sentAtMs = random(8);
      return seen(MOVES[random(4)]!, CODES[random(3)]!, sentAtMs, sentAtMs + random(6));
    });
    const initial = (['pending', 'approved', 'actuating'] as const)[random(3)]!;
    const isPossible = anyOrder(history, initial);
    expect([history, linearise(history, initial, step) !== undefined]).toEqual([history, isPossible]);
    verdicts[isPossible ? 'possible' : 'impossible'] += 1;
  }
  expect(Math.min(verdicts.possible, verdicts.impossible)).toBeGreaterThan(200);
});

describe.each(['pending', 'approved'] as const)('a hundred calls from %s', (initial) => {
  const histories = Array.from({ length: 20 }, (_, seed) => ofOneThread(initial, seed + 1));
  const check = (history: readonly Observed<Call>[]) => linearise<Call, State>(history, initial, step);
  const isOk = ({ call }: Observed<Call>): boolean => call.code === 'ok';
  /** The history with one changed call. */
  const changed = (history: Observed<Call>[], at: number, change: Partial<Observed<Call>>) =>
    history.map((each, index) => (index === at ? { ...each, ...change } : each));

  test('of one thread are accepted, in a valid order', () => {
    for (const history of histories) {
      const order = check(history);
      expect(order).toHaveLength(100);
      expect(new Set(order)).toEqual(new Set(history.map(({ call }) => call)));
      expect(order!.reduce<State | undefined>((state, call) => state && step(state, call), initial)).toBe(
        history.reduce<State>((state, { call }) => step(state, call)!, initial),
      );
    }
  });

  test('are refused when an effect happened twice, at any time', () => {
    for (const history of histories) {
      const done = history.filter(isOk);
      expect(done.length).toBeGreaterThan(0);
      for (const { call } of done)
        expect(check([...history, { call: { ...call }, sentAtMs: 0, answeredAtMs: 200 }])).toBeUndefined();
    }
  });

  test('are refused when a call on which others depend was answered with a refusal', () => {
    for (const history of histories) {
      const first = history.findIndex(isOk);
      if (history.filter(isOk).length < 2 || history[first]!.call.move === 'actuate') continue;
      const { move } = history[first]!.call;
      expect(check(changed(history, first, { call: { move, code: 'wrong_status' } }))).toBeUndefined();
    }
  });

  test('are refused when the first effective call was sent after the answers to all others', () => {
    for (const history of histories) {
      const first = history.findIndex(isOk);
      expect(check(changed(history, first, { sentAtMs: 500, answeredAtMs: 501 }))).toBeUndefined();
    }
  });

  test('are refused with an answer that no thread can give', () => {
    for (const code of ['not_found', 'mfa_not_satisfied', 'unavailable'])
      expect(check(changed(histories[0]!, 50, { call: { move: 'approve', code } }))).toBeUndefined();
  });
});

test.each<[string, State, Observed<Call>[]]>([
  ['two devices told to act', 'approved', [seen('actuate', 'ok', 0, 9), seen('actuate', 'ok', 0, 9)]],
  ['approved and denied', 'pending', [seen('approve', 'ok', 0, 9), seen('deny', 'ok', 0, 9)]],
  [
    'refused before it was decided',
    'pending',
    [seen('approve', 'wrong_status', 0, 1), seen('approve', 'ok', 2, 3)],
  ],
  ['acted on after it was taken back', 'approved', [seen('revoke', 'ok', 0, 1), seen('actuate', 'ok', 2, 3)]],
  ['taken back by nobody', 'approved', [seen('revoke', 'wrong_status', 0, 9)]],
])('is found: %s', (_, initial, history) => {
  expect(linearise(history, initial, step)).toBeUndefined();
});
