import type { CallContext } from './call-context.ts';

/**
 * Marks an internal call as a repetition that changed nothing: the call that made the change recorded its event, and
 * this one records none. Throws for any other method: each of its calls records an event.
 */
export function changedNothing(context: CallContext): void {
  if (!context.method.policy!.internal) {
    throw new Error(
      `${context.method.path} records an event of each call: only internal methods may leave it out.`,
    );
  }
  context.audited = true;
}
