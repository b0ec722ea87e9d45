import { ClavigerError } from '@claviger/errors';

/** What is asked for exists, or will in a moment, but is under no tree head yet. */
export function notSealed(what: string): ClavigerError {
  return new ClavigerError('conflict', `${what} not sealed yet.`, {
    code: 'not_sealed',
    hint: 'New events are sealed about every second: try again in a moment.',
    retryAfterSeconds: 1,
  });
}
