export interface OutboxMessage {
  readonly tenantId: string;
  readonly eventId: string;
  readonly subject: string;
  readonly payload: string;
  readonly mac: Buffer;
  readonly traceparent: string | undefined;
}

/**
 * Stores messages durably; resolves when all are stored. Throws RefusedMessages when it stored all except
 * some that can never be stored; after any other error, all are tried again. With `again`, the store must
 * keep messages even if it has seen their ids.
 */
export interface Publisher {
  (messages: readonly OutboxMessage[], options?: { readonly again?: boolean }): Promise<void>;
  /** Creation time of the store. Messages published before it are lost and are published again. */
  readonly storeCreatedAt?: () => Promise<Date>;
  /**
   * For messages that leave the outbox only after their consumer has stored them; replaces `storeCreatedAt`.
   */
  readonly arrival?: Arrival;
}

/** Lets the relay check whether a published message has reached its consumer. */
export interface Arrival {
  /** The messages that the consumer has not stored. Throws while the consumer is unavailable. */
  missing(messages: readonly OutboxMessage[]): Promise<readonly OutboxMessage[]>;
  /** Whether the store holds no more messages for the consumer. If so, missing messages are lost. */
  isDrained(): Promise<boolean>;
}

/** Some messages of a batch can never be published; the others were. */
export class RefusedMessages extends Error {
  /** Reasons by event id. */
  readonly refused: ReadonlyMap<string, string>;

  constructor(refused: ReadonlyMap<string, string>) {
    super(`${refused.size} messages cannot be published: ${[...new Set(refused.values())].join('; ')}`);
    this.name = 'RefusedMessages';
    this.refused = refused;
  }
}
