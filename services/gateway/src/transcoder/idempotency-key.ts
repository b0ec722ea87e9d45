import type { EdgeRequest } from '../edge/edge-request.ts';
import { headerInvalid } from '../edge/header-invalid.ts';

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/**
 * The Idempotency-Key of a request, unchanged; undefined without one. Throws `invalid` for an invalid key.
 */
export function idempotencyKeyOf(request: EdgeRequest): { idempotencyKey: string } | undefined {
  const given = request.headers['idempotency-key'];
  if (given === undefined) return undefined;
  if (typeof given !== 'string' || !VISIBLE.test(given)) {
    throw headerInvalid(
      'Idempotency-Key',
      'Send one header with 1 to 255 visible ASCII characters, e.g. a random UUID.',
      'idempotency_key_invalid',
    );
  }
  return { idempotencyKey: given };
}
