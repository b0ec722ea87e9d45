/** gRPC status codes: https://grpc.io/docs/guides/status-codes/ */
const status = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

interface ReasonMapping {
  readonly grpc: number;
  readonly http: number;
  readonly title: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
}

/** The closed list of reasons. A new reason must be mapped to compile. */
export const REASONS = {
  invalid: { grpc: status.INVALID_ARGUMENT, http: 400, title: 'The request is not valid', retryable: false },
  unauthenticated: {
    grpc: status.UNAUTHENTICATED,
    http: 401,
    title: 'Sign-in is required',
    retryable: false,
  },
  denied: { grpc: status.PERMISSION_DENIED, http: 403, title: 'Not allowed', retryable: false },
  step_up_required: {
    grpc: status.PERMISSION_DENIED,
    http: 403,
    title: 'A recent second factor is required',
    retryable: false,
  },
  not_found: { grpc: status.NOT_FOUND, http: 404, title: 'Not found', retryable: false },
  method_not_allowed: {
    grpc: status.UNIMPLEMENTED,
    http: 405,
    title: 'Method not allowed',
    retryable: false,
  },
  conflict: { grpc: status.ABORTED, http: 409, title: 'Conflict with the current state', retryable: false },
  request_in_progress: {
    grpc: status.ABORTED,
    http: 409,
    title: 'The same request is still running',
    retryable: true,
  },
  idempotency_key_reused: {
    grpc: status.INVALID_ARGUMENT,
    http: 422,
    title: 'The key was used for another request',
    retryable: false,
  },
  already_exists: { grpc: status.ALREADY_EXISTS, http: 409, title: 'It already exists', retryable: false },
  gone: { grpc: status.FAILED_PRECONDITION, http: 410, title: 'It no longer exists', retryable: false },
  precondition_failed: {
    grpc: status.FAILED_PRECONDITION,
    http: 412,
    title: 'It has changed since it was read',
    retryable: false,
  },
  payload_too_large: {
    grpc: status.OUT_OF_RANGE,
    http: 413,
    title: 'The request is too large',
    retryable: false,
  },
  unsupported_media_type: {
    grpc: status.INVALID_ARGUMENT,
    http: 415,
    title: 'Content type is not supported',
    retryable: false,
  },
  rate_limited: { grpc: status.RESOURCE_EXHAUSTED, http: 429, title: 'Too many requests', retryable: true },
  internal: { grpc: status.INTERNAL, http: 500, title: 'Internal error', retryable: false },
  integrity_error: {
    grpc: status.DATA_LOSS,
    http: 500,
    title: 'Stored data failed its integrity check',
    retryable: false,
  },
  unavailable: { grpc: status.UNAVAILABLE, http: 503, title: 'Temporarily unavailable', retryable: true },
  audit_unavailable: {
    grpc: status.UNAVAILABLE,
    http: 503,
    title: 'The audit event cannot be written',
    retryable: true,
  },
  sealed: { grpc: status.UNAVAILABLE, http: 503, title: 'The vault is sealed', retryable: true },
  deadline_exceeded: {
    grpc: status.DEADLINE_EXCEEDED,
    http: 504,
    title: 'It took too long',
    retryable: true,
  },
} as const satisfies Record<string, ReasonMapping>;

export type Reason = keyof typeof REASONS;
