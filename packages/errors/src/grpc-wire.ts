import { ErrorDetail, Status } from '@claviger/contracts';
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { ClavigerError } from './claviger-error.ts';
import { REASONS, type Reason } from './reasons.ts';

const DETAILS_KEY = 'grpc-status-details-bin';
const DETAIL_TYPE = 'type.googleapis.com/claviger.errors.v1.ErrorDetail';

/** What a server sends for an error: the status and, inside it, the whole ClavigerError without its cause. */
export function encodeServiceError(
  error: ClavigerError,
): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const code = REASONS[error.reason].grpc;
  const detail = ErrorDetail.encode({
    reason: error.reason,
    publicMessage: error.message,
    fields: error.fields.map((field) => ({ pointer: field.pointer, detail: field.detail })),
    retryAfterSeconds: error.retryAfterSeconds,
    code: error.code,
    correlationId: error.correlationId ?? '',
    hint: error.hint ?? '',
  }).finish();
  const metadata = new Metadata();
  const wire = Status.encode({
    code,
    message: error.message,
    details: [{ typeUrl: DETAIL_TYPE, value: Buffer.from(detail) }],
  }).finish();
  metadata.set(DETAILS_KEY, Buffer.from(wire));
  return { code, details: error.message, metadata };
}

/**
 * What a client makes of a failed call: the same ClavigerError that the server threw. A failure of the transport is
 * `unavailable` or `deadline_exceeded`, never the caller's mistake.
 */
export function decodeServiceError(error: ServiceError): ClavigerError {
  const [raw] = error.metadata?.get(DETAILS_KEY) ?? [];
  const detail = raw === undefined ? undefined : decodeDetail(Buffer.from(raw));
  if (detail && detail.reason in REASONS) {
    return new ClavigerError(detail.reason as Reason, detail.publicMessage, {
      fields: detail.fields,
      code: detail.code,
      cause: error,
      ...(detail.hint ? { hint: detail.hint } : {}),
      ...(detail.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: detail.retryAfterSeconds }),
      ...(detail.correlationId ? { correlationId: detail.correlationId } : {}),
    });
  }
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return new ClavigerError('unavailable', 'A part of the system cannot be reached.', {
        cause: error,
        retryAfterSeconds: 1,
      });
    case status.DEADLINE_EXCEEDED:
      return new ClavigerError('deadline_exceeded', 'The request took too long.', {
        cause: error,
        retryAfterSeconds: 1,
      });
    default:
      return new ClavigerError('internal', 'An internal error occurred.', { cause: error });
  }
}

function decodeDetail(bytes: Buffer): ErrorDetail | undefined {
  const detail = Status.decode(bytes).details.find((any) => any.typeUrl === DETAIL_TYPE);
  return detail && ErrorDetail.decode(detail.value);
}
