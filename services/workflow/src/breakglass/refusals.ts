import { ClavigerError } from '@claviger/errors';

export const alreadyOpen = (): ClavigerError =>
  new ClavigerError('conflict', 'You have emergency access open already, or have asked for it.', {
    code: 'breakglass_open',
    hint: 'GET /api/v1/breakglass/status shows it. End it before you open another.',
  });

export const notOpen = (): ClavigerError =>
  new ClavigerError('conflict', 'There is no open emergency access to end.', {
    code: 'breakglass_not_open',
    hint: 'GET /api/v1/breakglass/sessions shows when and how it ended.',
  });

export const wrongStatus = (detail: string): ClavigerError =>
  new ClavigerError('conflict', detail, {
    code: 'wrong_status',
    hint: 'Read the session to see what became of it.',
  });

export const codeWrong = (): ClavigerError =>
  new ClavigerError('denied', 'The sealed code is wrong, or was used or replaced before.', {
    code: 'sealed_code_wrong',
    hint: 'Take another envelope. Five wrong codes lock this way for fifteen minutes.',
  });

export const codeMalformed = (): ClavigerError =>
  new ClavigerError('invalid', 'The request is not valid.', {
    code: 'sealed_code_malformed',
    fields: [
      {
        pointer: '/sealedCode',
        detail: 'must be 26 letters and digits, such as ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-A',
      },
    ],
    hint: 'Give the code as it stands in the envelope. This try was not counted.',
  });

export const codesLocked = (retryAfterSeconds: number): ClavigerError =>
  new ClavigerError('denied', 'Too many wrong sealed codes were given.', {
    code: 'sealed_code_locked',
    retryAfterSeconds,
    hint: `Ask for the confirmation of a second person, or wait for ${retryAfterSeconds} seconds.`,
  });

export const codeNeeded = (): ClavigerError =>
  new ClavigerError('denied', 'The policy asks for a sealed code.', {
    code: 'sealed_code_required',
    hint: 'Send the code from an envelope as sealedCode.',
  });

export const codeNotTaken = (): ClavigerError =>
  new ClavigerError('denied', 'The policy asks for a second person and takes no sealed codes.', {
    code: 'sealed_code_not_taken',
    hint: 'Send the request without sealedCode; somebody else then confirms it.',
  });

export const activationPending = (cause: unknown): ClavigerError =>
  new ClavigerError('unavailable', 'Emergency access is activated, but the vault has not confirmed it yet.', {
    code: 'activation_pending',
    hint: 'It is being repeated by itself: try to retrieve what you need. Asking again hurries it.',
    retryAfterSeconds: 2,
    cause,
  });

export const deactivationPending = (cause: unknown): ClavigerError =>
  new ClavigerError(
    'unavailable',
    'Emergency access is deactivated, but the vault has not confirmed it yet.',
    {
      code: 'deactivation_pending',
      hint: 'It is being repeated by itself. Call again with the sessionId to wait for the confirmation.',
      retryAfterSeconds: 2,
      cause,
    },
  );
