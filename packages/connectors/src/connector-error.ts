import { OutboundError } from '@claviger/outbound';

/**
 * Why a connector could not do its work before anything was changed on the target:
 * - `configuration`: the settings or arguments are not usable as they are;
 * - `not_allowed`: the platform refuses this target, or the tenant's policy does not list it;
 * - `unreachable`: no answer, a broken connection, or a time-out;
 * - `untrusted`: the target could not prove who it is (certificate, host key);
 * - `protocol`: the target answered in a way that proves nothing;
 * - `authentication`: the target refused the credential;
 * - `permission`: the credential is good, its rights do not suffice;
 * - `not_now`: the target takes it later: a limit of connections, a lock that passes, a minimum age;
 * - `not_possible`: the account cannot log in, whatever its secret: locked, expired, without a login.
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

/** A failure whose message can be shown to the administrator of the target: it holds no secret. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
  readonly kind: ConnectorErrorKind;
  /** What to do next, where that is known. */
  readonly hint: string | undefined;

  constructor(kind: ConnectorErrorKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
  }
}

/** Turns whatever was thrown into a ConnectorError; what is not one already counts as `unreachable`, never as a refusal. */
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
