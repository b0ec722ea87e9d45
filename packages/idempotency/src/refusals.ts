import { ClavigerError } from '@claviger/errors';

/** Another call with this key is running, or has just ended. */
export function inProgress(cause?: unknown): ClavigerError {
  return new ClavigerError('request_in_progress', 'A request with this Idempotency-Key is still running.', {
    hint: 'Send the same request again with the same key to receive its outcome.',
    retryAfterSeconds: 1,
    ...(cause === undefined ? {} : { cause }),
  });
}

export function keyReused(): ClavigerError {
  return new ClavigerError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request within the last 24 hours.',
    { hint: 'Use a new random key for each new request.' },
  );
}

/** The effect was stored but the answer was not, or the process ended before it was. */
export function replayed(subject: { readonly type: string; readonly id: string }): ClavigerError {
  const what = subject.type === '' ? 'what it did' : `${subject.type} ${subject.id}`.trim();
  return new ClavigerError(
    'conflict',
    `This request was carried out before and is not repeated: ${what}. Its answer is not stored.`,
    {
      code: 'idempotency_replayed',
      hint: `Read ${what} to see its current state; to repeat the operation, send the request with a new key.`,
    },
  );
}
