import type { CallContext, CallOptions } from '@claviger/service-kit';

const TIMEOUT_MS = 3_000;

/** What travels with a call to a peer that this service makes in its own name. */
export function internalCall(context: CallContext): CallOptions {
  return {
    tenantId: context.tenantId,
    requestId: context.requestId,
    sourceAddress: context.sourceAddress,
    deadline: context.deadline,
    signal: context.signal,
  };
}

/**
 * Of a call that tells the vault what is already decided here: it goes on when the caller has gone, and is given up soon,
 * because the due queue repeats it.
 */
export function syncCall(tenantId: string, requestId: string): CallOptions {
  return { tenantId, requestId, deadline: new Date(Date.now() + TIMEOUT_MS) };
}
