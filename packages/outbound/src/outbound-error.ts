/**
 * Why a call failed:
 * - `configuration`: the address, the headers or the settings are not valid;
 * - `not_allowed`: the policy does not allow this target;
 * - `unreachable`: no answer, a broken connection, or a time-out;
 * - `untrusted`: the target could not prove its identity;
 * - `protocol`: the target's answer cannot be used.
 */
export type OutboundErrorKind = 'configuration' | 'not_allowed' | 'unreachable' | 'untrusted' | 'protocol';

/** An error whose message may be shown: it contains no secret and no text of the target. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly kind: OutboundErrorKind;
  /** What to do next, if known. */
  readonly hint: string | undefined;
  /** Whether part of the request may have been sent: the target may then have acted on it. */
  readonly sent: boolean;

  constructor(
    kind: OutboundErrorKind,
    message: string,
    options: { hint?: string; cause?: unknown; sent?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
    this.sent = options.sent ?? false;
  }
}
