import type { CallContext, RecordOutcome } from '@claviger/service-kit';

/**
 * Callers get the same answer for an unknown user, a wrong password and a locked account. The audit log tells the
 * difference: whoever refuses notes the true reason here.
 */
const reasons = new WeakMap<CallContext, string>();

export function noteReason(context: CallContext, reason: string): void {
  reasons.set(context, reason);
}

/** A recorder that prefers the noted reason to the one that the caller was given. */
export function withNotedReasons(record: RecordOutcome): RecordOutcome {
  return (context, outcome) =>
    record(context, { ...outcome, reason: reasons.get(context) ?? outcome.reason });
}
