import type { Reason } from './reasons.ts';

export interface FieldProblem {
  /** JSON pointer into the request, e.g. `/durationMinutes`. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorOptions {
  readonly fields?: readonly FieldProblem[];
  /** Specific machine-readable code, e.g. `wrong_status`; the reason by default. */
  readonly code?: string;
  /** What the caller can do next. */
  readonly hint?: string;
  readonly retryAfterSeconds?: number;
  readonly correlationId?: string;
  /** The request whose approval the call requires. */
  readonly approvalRequestId?: string;
  /** Logged by the service that throws it; never sent to a client. */
  readonly cause?: unknown;
}

/** The only error that callers may see. `publicMessage` never contains secrets or internals. */
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

  /** The same answer for unknown and invisible objects, so that they cannot be distinguished. */
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
