import type { CallContext } from '@claviger/service-kit';

/** Kept for writing the answer. */
const RESERVE_MS = 2_000;

/** Whether a long look at the history has to end: by its own limit, the deadline of the call, or because nobody waits any more. */
export function timeLimit(context: Pick<CallContext, 'deadline' | 'signal'>, maxMs: number): () => boolean {
  const untilMs = Math.min(Date.now() + maxMs, (context.deadline?.getTime() ?? Infinity) - RESERVE_MS);
  return () => context.signal.aborted || Date.now() > untilMs;
}
