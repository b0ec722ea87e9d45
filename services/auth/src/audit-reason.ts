import type { CallContext, RecordOutcome } from '@claviger/service-kit';

/**
 * The answer is the same for an unknown user, a wrong password and a locked account. The code that refuses
 * notes the true reason here, for the audit log only.
 */
const reasons = new WeakMap<CallContext, string>();

export function noteReason(context: CallContext, reason: string): void {
  reasons.set(context, reason);
}

/** Returns a recorder that records the noted reason instead of the reason in the answer. */
export function withNotedReasons(record: RecordOutcome): RecordOutcome {
  return (context, outcome) =>
    record(context, { ...outcome, reason: reasons.get(context) ?? outcome.reason });
}
