import { OutboundError } from '@claviger/outbound';

/**
 * Why an operation failed before anything was changed on the target:
 * - `configuration`: the settings or arguments are not valid;
 * - `not_allowed`: the platform forbids this target, or the tenant's policy does not list it;
 * - `unreachable`: no answer, a broken connection, or a time-out;
 * - `untrusted`: the target could not prove its identity (certificate, host key);
 * - `protocol`: the answer does not follow the protocol;
 * - `authentication`: the target refused the credential;
 * - `permission`: the credential is valid, but lacks permissions;
 * - `not_now`: a temporary condition: a connection limit, a temporary lock, a minimum password age;
 * - `not_possible`: the account cannot log in with any secret: locked, expired, or without login.
 */
export type ConnectorErrorKind =
  | 'configuration'
  | 'not_allowed'
  | 'unreachable'
  | 'untrusted'
  | 'protocol'
  | 'authentication'
  | 'permission'
  | 'not_now'
  | 'not_possible';

/** An error whose message may be shown to the administrator of the target: it contains no secret. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly kind: ConnectorErrorKind;
  /** What to do next, if known. */
  readonly hint: string | undefined;

  constructor(kind: ConnectorErrorKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}

/** Converts any thrown value to a ConnectorError. Other errors become `unreachable`, never a refusal. */
export function asConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError) return error;
  if (error instanceof OutboundError)
    return new ConnectorError(error.kind, error.message, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return new ConnectorError(
    'unreachable',
    code === undefined ? 'The connection failed.' : `The connection failed (${code}).`,
    {
      cause: error,
    },
  );
}
