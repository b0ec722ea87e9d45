import type { ClavigerError } from './claviger-error.ts';
import { REASONS } from './reasons.ts';

/** RFC 9457 `application/problem+json`. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  retryable: boolean;
  errors?: { pointer: string; detail: string }[];
  hint?: string;
  /** The request whose approval the call requires. */
  approvalRequestId?: string;
  correlationId?: string;
}

/** Renders an error for REST. `claviger explain CODE` explains each code. */
export function problemDocument(error: ClavigerError): ProblemDocument {
  const reason = REASONS[error.reason];
  return {
    type: `urn:claviger:problem:${error.code}`,
    title: reason.title,
    status: reason.http,
    detail: error.message,
    code: error.code,
    retryable: reason.retryable,
    ...(error.fields.length > 0
      ? { errors: error.fields.map(({ pointer, detail }) => ({ pointer, detail })) }
      : {}),
    ...(error.hint ? { hint: error.hint } : {}),
    ...(error.approvalRequestId ? { approvalRequestId: error.approvalRequestId } : {}),
    ...(error.correlationId ? { correlationId: error.correlationId } : {}),
  };
}
