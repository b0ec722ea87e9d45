/** One call as it was seen from outside: when it was sent, when its answer was there, and what it did. */
export interface Observed<C> {
  readonly call: C;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * An order of all calls in which each could have happened at one instant between its sending and its answer, one after the
 * other, by the model; undefined when there is none. `step` answers the next state, or undefined where the model would
 * have answered otherwise. A call that changes nothing is taken as soon as it fits: that never takes a choice away.
 */
export function linearise<C, S>(
  observed: readonly Observed<C>[],
  initial: S,
  step: (state: S, call: C) => S | undefined,
): readonly C[] | undefined {
  const search = (left: readonly Observed<C>[], state: S, order: readonly C[]): readonly C[] | undefined => {
    if (left.length === 0) return order;
    const firstAnswerMs = Math.min(...left.map((each) => each.answeredAtMs));
    // What was sent after another answer was there cannot come before it.
    const next = left.filter((each) => each.sentAtMs <= firstAnswerMs);
    const idle = next.find((each) => step(state, each.call) === state);
    if (idle) return search(without(left, idle), state, [...order, idle.call]);
    for (const each of next) {
      const after = step(state, each.call);
      if (after === undefined) continue;
      const found = search(without(left, each), after, [...order, each.call]);
      if (found) return found;
    }
    return undefined;
  };
  return search(observed, initial, []);
}

const without = <T>(items: readonly T[], gone: T): T[] => items.filter((each) => each !== gone);
