import type { CallContext } from './call-context.ts';

/** Writes the audit event of a call that was denied or failed, in a transaction of its own. */
export type RecordOutcome = (
  context: CallContext,
  outcome: { outcome: 'denied' | 'failed'; reason: string; request: object },
) => Promise<void>;
