import { ClavigerError } from '@claviger/errors';
import type { EdgeRequest } from '../edge/edge-request.ts';

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/** The Idempotency-Key of a request, as it stands; nothing when it has none. Throws `invalid` for one that is no key. */
export function idempotencyKeyOf(request: EdgeRequest): { idempotencyKey: string } | undefined {
  const given = request.headers['idempotency-key'];
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || !VISIBLE.test(given)) {
    throw new ClavigerError('invalid', 'The Idempotency-Key is not valid.', {
      code: 'idempotency_key_invalid',
      hint: 'Send one header with 1 to 255 visible ASCII characters, e.g. a random UUID.',
    });
  }
  return { idempotencyKey: given };
}
