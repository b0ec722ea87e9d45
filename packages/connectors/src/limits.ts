/** Limits of one operation. Real targets stay far below them; exceeding one ends the operation. */
export const TARGET_LIMITS = {
  /** All bytes from the target. */
  bytes: 16 * 1024 * 1024,
  /** One protocol message, by its declared length. */
  messageBytes: 1024 * 1024,
  /** Protocol messages, such as rows, entries and notices. */
  messages: 100_000,
  /** Accounts in one answer of `discover`. */
  accounts: 20_000,
  /** Groups and other lists of one account are cut to this many characters. */
  detailCharacters: 2_000,
} as const;
