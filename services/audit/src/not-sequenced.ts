import { ClavigerError } from '@claviger/errors';

/** The requested item exists, or will soon, but no tree head covers it yet. */
export function notSequenced(what: string): ClavigerError {
  return new ClavigerError('conflict', `${what} not sequenced yet.`, {
    code: 'not_sealed',
    hint: 'New events are sequenced about every second: try again in a moment.',
    retryAfterSeconds: 1,
  });
}
