/** One call as seen by its client: the times of sending and answer, and its effect. */
export interface Observed<C> {
  readonly call: C;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * Returns a linearisation: a sequential order of all calls, each between its sending and its answer, that the
 * model allows; undefined if there is none. `step` returns the next state, or undefined if the model gives
 * another answer. A call without effect is placed as soon as it fits, which never excludes a solution.
 */
export function linearise<C, S>(
  observed: readonly Observed<C>[],
  initial: S,
  step: (state: S, call: C) => S | undefined,
): readonly C[] | undefined {
  const search = (left: readonly Observed<C>[], state: S, order: readonly C[]): readonly C[] | undefined => {
    if (left.length === 0) return order;
    const firstAnswerMs = Math.min(...left.map((each) => each.answeredAtMs));
    // A call that was sent after the answer to another call cannot come before that call.
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
