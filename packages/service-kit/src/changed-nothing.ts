import type { CallContext } from './call-context.ts';

/**
 * Marks an internal call as a repetition without effect: the first call recorded the event, this one records
 * none. Throws for any method that is not internal.
 */
export function changedNothing(context: CallContext): void {
  if (!context.method.policy!.internal) {
    throw new Error(
      `${context.method.path} records an event of each call: only internal methods may leave it out.`,
    );
  }
  context.audited = true;
}
