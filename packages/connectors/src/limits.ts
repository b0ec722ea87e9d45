/**
 * What one operation takes from a target at most. A real target stays far below; what passes one ends the
 * operation.
 */
export const TARGET_LIMITS = {
  /** All that the target sends. */
  bytes: 16 * 1024 * 1024,
  /** One message of its protocol, by the length that it declares. */
  messageBytes: 1024 * 1024,
  /** Messages: rows, entries and notices each are one. */
  messages: 100_000,
  /** Accounts in one answer of `discover`. */
  accounts: 20_000,
  /** Groups and other lists of one account are cut after this many characters. */
  detailCharacters: 2_000,
} as const;
