import { ClavigerError } from '@claviger/errors';

export const alreadyOpen = (): ClavigerError =>
  new ClavigerError('conflict', 'You already have open or requested emergency access.', {
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
    hint: 'Read the session to see its state.',
  });

export const codeWrong = (): ClavigerError =>
  new ClavigerError('denied', 'The offline code is wrong, was used before, or was replaced.', {
    code: 'sealed_code_wrong',
    hint: 'Use another code. Five wrong codes lock the use of codes for fifteen minutes.',
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
    hint: 'Enter the code as it is printed. This attempt was not counted.',
  });

export const codesLocked = (retryAfterSeconds: number): ClavigerError =>
  new ClavigerError('denied', 'Too many wrong offline codes were entered.', {
    code: 'sealed_code_locked',
    retryAfterSeconds,
    hint: `Ask a second person to confirm, or wait ${retryAfterSeconds} seconds.`,
  });

export const codeNeeded = (): ClavigerError =>
  new ClavigerError('denied', 'The policy requires an offline code.', {
    code: 'sealed_code_required',
    hint: 'Send the printed code as sealedCode.',
  });

export const codeNotTaken = (): ClavigerError =>
  new ClavigerError('denied', 'The policy requires a second person and does not accept offline codes.', {
    code: 'sealed_code_not_taken',
    hint: 'Send the request without sealedCode; another person then confirms it.',
  });

export const activationPending = (cause: unknown): ClavigerError =>
  new ClavigerError('unavailable', 'Emergency access is activated, but the vault has not confirmed it yet.', {
    code: 'activation_pending',
    hint: 'The service repeats the call to the vault. Try to retrieve what you need, or send the request again.',
    retryAfterSeconds: 2,
    cause,
  });

export const deactivationPending = (cause: unknown): ClavigerError =>
  new ClavigerError(
    'unavailable',
    'Emergency access is deactivated, but the vault has not confirmed it yet.',
    {
      code: 'deactivation_pending',
      hint: 'The service repeats the call to the vault. Call again with the sessionId to wait for the confirmation.',
      retryAfterSeconds: 2,
      cause,
    },
  );
