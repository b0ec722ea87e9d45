import type { Reason } from './reasons.ts';

export interface FieldProblem {
  /** JSON pointer into the request, e.g. `/durationMinutes`. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorOptions {
  readonly fields?: readonly FieldProblem[];
  /** Narrower machine-readable code, e.g. `wrong_status`; the reason when absent. */
  readonly code?: string;
  /** What the caller can do next. */
  readonly hint?: string;
  readonly retryAfterSeconds?: number;
  readonly correlationId?: string;
  /** The request whose approval the call waits for. */
  readonly approvalRequestId?: string;
  /** Logged where it arises; never crosses a wire. */
  readonly cause?: unknown;
}

/** The one error that callers may see. `publicMessage` never holds a secret or an internal. */
export class ClavigerError extends Error {
  readonly reason: Reason;
  readonly code: string;
  readonly fields: readonly FieldProblem[];
  readonly hint: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly approvalRequestId: string | undefined;
  correlationId: string | undefined;

  constructor(reason: Reason, publicMessage: string, options: ErrorOptions = {}) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ClavigerError';
    this.reason = reason;
    this.code = options.code ?? reason;
    this.fields = options.fields ?? [];
    this.hint = options.hint;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.approvalRequestId = options.approvalRequestId;
    this.correlationId = options.correlationId;
  }

  /** Every invisible object answers this, word for word, so that a foreign id cannot be told from an unknown one. */
  static notFound(): ClavigerError {
    return new ClavigerError('not_found', 'There is no such object, or it is not visible to you.');
  }

  static invalid(pointer: string, detail: string): ClavigerError {
    return new ClavigerError('invalid', 'The request is not valid.', { fields: [{ pointer, detail }] });
  }
}

export function isClavigerError(error: unknown): error is ClavigerError {
  return error instanceof ClavigerError;
}
