import { isClavigerError } from '@claviger/errors';
import type { CallContext, IdempotentCall } from './call-context.ts';
import { failpoint } from './failpoints.ts';
import type { Logger } from './logger.ts';

/** Where keys are remembered: the database of the service, beside what was done under them. */
export interface IdempotencyGuard {
  callOf(context: CallContext, key: string, request: Uint8Array): IdempotentCall;
  /**
   * The kept answer of another try with this key; undefined when there was none that had an effect. Throws
   * `idempotency_key_reused` for another request, `request_in_progress`, and `idempotency_replayed` where no answer is kept.
   */
  find(tenantId: string, call: IdempotentCall): Promise<Buffer | undefined>;
  keep(tenantId: string, call: IdempotentCall, answer: Buffer): Promise<void>;
  /** Forgets this try: the next one with its key is carried out. */
  release(tenantId: string, call: IdempotentCall): Promise<void>;
}

export interface MessageCodec {
  readonly request: (message: object) => Buffer;
  readonly response: (message: unknown) => Buffer;
  readonly decodeResponse: (bytes: Buffer) => unknown;
}

/** A repetition did nothing, so it leaves no event of its own. */
export function didNothingAgain(error: { readonly code: string }): boolean {
  return error.code === 'idempotency_replayed' || error.code === 'request_in_progress';
}

/** The effect is stored, but not everybody who must know of it does: only doing it again completes it. */
const TO_BE_REPEATED = 'liveness_unavailable';

/**
 * Runs `work` unless another try with this key has had its effect; then answers as that one did. Of tries at the same
 * moment the one whose row was written first has the effect: the others' transactions are rolled back.
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
    if (isClavigerError(error) && error.code === TO_BE_REPEATED) {
      await guard.release(context.tenantId, call).catch((cause: unknown) => {
        logger.warn({ err: cause, requestId: context.requestId }, 'an idempotency key was not released');
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
    // The effect is there and its row too: a repetition is told so, only without the answer.
    logger.warn(
      { err: error, requestId: context.requestId },
      'the answer to an idempotent request was not kept',
    );
  }
  return response;
}

/** What another try with this key has done meanwhile. When that cannot be asked, the failure at hand stands. */
async function otherTry(guard: IdempotencyGuard, context: CallContext, call: IdempotentCall) {
  try {
    return await guard.find(context.tenantId, call);
  } catch (error) {
    if (isClavigerError(error) && (didNothingAgain(error) || error.reason === 'idempotency_key_reused'))
      throw error;
    return undefined;
  }
}
