import type { CallContext, CallOptions } from '@claviger/service-kit';

const TIMEOUT_MS = 3_000;

/** The options of a call that this service makes in its own name to another service. */
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
 * The options of a call that sends a committed change to the vault. The call continues when the actor's call
 * is cancelled, and has a short deadline, because the due queue repeats it.
 */
export function syncCall(tenantId: string, requestId: string): CallOptions {
  return { tenantId, requestId, deadline: new Date(Date.now() + TIMEOUT_MS) };
}
