import { isClavigerError } from '@claviger/errors';
import type { CallContext, IdempotentCall } from './call-context.ts';
import { failpoint } from './failpoints.ts';
import type { Logger } from './logger.ts';

/** Remembers idempotency keys in the database of the service, in the transaction of their effect. */
export interface IdempotencyGuard {
  callOf(context: CallContext, key: string, request: Uint8Array): IdempotentCall;
  /**
   * The stored answer of another attempt with this key; undefined when none had an effect. Throws
   * `idempotency_key_reused` for a different request, `request_in_progress`, and `idempotency_replayed` when
   * the answer is not stored.
   */
  find(tenantId: string, call: IdempotentCall): Promise<Buffer | undefined>;
  keep(tenantId: string, call: IdempotentCall, answer: Buffer): Promise<void>;
  /** Forgets this attempt, so that the next one with its key runs. */
  release(tenantId: string, call: IdempotentCall): Promise<void>;
}

export interface MessageCodec {
  readonly request: (message: object) => Buffer;
  readonly response: (message: unknown) => Buffer;
  readonly decodeResponse: (bytes: Buffer) => unknown;
}

/** Whether the error reports a repetition without effect, which leaves no audit event. */
export function isRepetition(error: { readonly code: string }): boolean {
  return error.code === 'idempotency_replayed' || error.code === 'request_in_progress';
}

/** The effect is stored, but not every service has been notified. Only a repetition completes the call. */
const MUST_BE_REPEATED = 'liveness_unavailable';

/**
 * Runs `work` unless another attempt with this key had an effect; then returns its answer. Of concurrent
 * attempts, the first to write its row has the effect, and the transactions of the others roll back.
 */
export async function runOnce(
  work: () => Promise<unknown>,
  call: IdempotentCall,
  options: {
    readonly context: CallContext;
    readonly guard: IdempotencyGuard;
    readonly codec: MessageCodec;
    readonly logger: Logger;
  },
): Promise<unknown> {
  const { context, guard, codec, logger } = options;
  const before = await guard.find(context.tenantId, call);
  if (before) return codec.decodeResponse(before);
  context.idempotentCall = call;
  let response: unknown;
  try {
    response = await work();
  } catch (error) {
    const after = await otherTry(guard, context, call);
    if (after) return codec.decodeResponse(after);
    if (isClavigerError(error) && error.code === MUST_BE_REPEATED) {
      await guard.release(context.tenantId, call).catch((cause: unknown) => {
        logger.warn({ err: cause, requestId: context.requestId }, 'cannot release an idempotency key');
      });
    }
    throw error;
  } finally {
    context.idempotentCall = undefined;
  }
  try {
    await failpoint('idempotency.before_answer_kept');
    await guard.keep(context.tenantId, call, codec.response(response));
  } catch (error) {
    // The effect and its row are stored. A repetition is answered as completed, without the stored answer.
    logger.warn(
      { err: error, requestId: context.requestId },
      'cannot store the answer to an idempotent request',
    );
  }
  return response;
}

/** The stored answer of another attempt. If the look-up fails, the original failure is reported. */
async function otherTry(guard: IdempotencyGuard, context: CallContext, call: IdempotentCall) {
  try {
    return await guard.find(context.tenantId, call);
  } catch (error) {
    if (isClavigerError(error) && (isRepetition(error) || error.reason === 'idempotency_key_reused'))
      throw error;
    return undefined;
  }
}
