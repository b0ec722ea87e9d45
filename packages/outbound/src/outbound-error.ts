/**
 * Why nothing came back:
 * - `configuration`: the address, the headers or the settings are not usable as they are;
 * - `not_allowed`: the policy does not let this target be reached;
 * - `unreachable`: no answer, a broken connection, or a time-out;
 * - `untrusted`: the target could not prove who it is;
 * - `protocol`: the target answered in a way that is of no use.
 */
export type OutboundErrorKind = 'configuration' | 'not_allowed' | 'unreachable' | 'untrusted' | 'protocol';

/** A failure whose message may be shown: it holds no secret and nothing that the target said. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly kind: OutboundErrorKind;
  /** What to do next, where that is known. */
  readonly hint: string | undefined;
  /** Whether a part of the request may have left: the target may then have acted on it. */
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
