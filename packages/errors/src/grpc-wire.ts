import { ErrorDetail } from '@claviger/contracts/errors/v1/errors';
import { Status } from '@claviger/contracts/google/rpc/status';
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { ClavigerError, type FieldProblem } from './claviger-error.ts';
import { REASONS, type Reason } from './reasons.ts';

const DETAILS_KEY = 'grpc-status-details-bin';
const MAX_FIELDS = 50;
const MAX_FIELDS_BYTES = 4_096;
const MAX_TEXT_LENGTH = 500;
const DETAIL_TYPE = 'type.googleapis.com/claviger.errors.v1.ErrorDetail';

/** Encodes an error as gRPC status; its details contain the ClavigerError without its cause. */
export function encodeServiceError(
  error: ClavigerError,
): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const code = REASONS[error.reason].grpc;
  const message = shortened(error.message);
  const detail = ErrorDetail.encode({
    reason: error.reason,
    publicMessage: message,
    fields: fitting(error.fields),
    retryAfterSeconds: error.retryAfterSeconds,
    code: error.code,
    correlationId: error.correlationId ?? '',
    hint: shortened(error.hint ?? ''),
    approvalRequestId: error.approvalRequestId ?? '',
  }).finish();
  const metadata = new Metadata();
  const wire = Status.encode({
    code,
    message,
    details: [{ typeUrl: DETAIL_TYPE, value: Buffer.from(detail) }],
  }).finish();
  metadata.set(DETAILS_KEY, Buffer.from(wire));
  return { code, details: message, metadata };
}

/**
 * Decodes a failed call into the ClavigerError that the server threw. Transport failures become `unavailable`
 * or `deadline_exceeded`.
 */
export function decodeServiceError(error: ServiceError): ClavigerError {
  const [raw] = error.metadata?.get(DETAILS_KEY) ?? [];
  const detail = raw === undefined ? undefined : readDetail(Buffer.from(raw));
  if (detail && Object.hasOwn(REASONS, detail.reason)) {
    return new ClavigerError(detail.reason as Reason, detail.publicMessage, {
      fields: detail.fields,
      code: detail.code,
      cause: error,
      ...(detail.hint ? { hint: detail.hint } : {}),
      ...(detail.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: detail.retryAfterSeconds }),
      ...(detail.approvalRequestId ? { approvalRequestId: detail.approvalRequestId } : {}),
      ...(detail.correlationId ? { correlationId: detail.correlationId } : {}),
    });
  }
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return new ClavigerError('unavailable', 'A service of the installation cannot be reached.', {
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

/** Undefined for other bytes; then only the status code counts. */
function readDetail(bytes: Buffer): ErrorDetail | undefined {
  try {
    const detail = Status.decode(bytes).details.find((any) => any.typeUrl === DETAIL_TYPE);
    return detail && ErrorDetail.decode(detail.value);
  } catch {
    return undefined;
  }
}

/**
 * Limits the fields, because details are sent in a header, which HTTP/2 implementations limit to about 16
 * KiB.
 */
function fitting(fields: readonly FieldProblem[]): FieldProblem[] {
  let bytes = 0;
  return fields.slice(0, MAX_FIELDS).filter(({ pointer, detail }) => {
    bytes += Buffer.byteLength(pointer) + Buffer.byteLength(detail) + 8;
    return bytes <= MAX_FIELDS_BYTES;
  });
}

/** The message is sent in a header, which cannot contain unpaired surrogates. */
function shortened(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH).toWellFormed();
}
