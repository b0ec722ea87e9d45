export interface OutboxMessage {
  readonly tenantId: string;
  readonly eventId: string;
  readonly subject: string;
  readonly payload: string;
  readonly mac: Buffer;
  readonly traceparent: string | undefined;
}

/**
 * Takes messages over for good: resolves only when each is stored where it went. Throws RefusedMessages when it took
 * over all but some that can never go; anything else it throws has all tried again. With `again` the store must keep the
 * messages even if it remembers that it had them before.
 */
export interface Publisher {
  (messages: readonly OutboxMessage[], options?: { readonly again?: boolean }): Promise<void>;
  /** When the store that takes messages over was made: what was published before that is gone, and published again. */
  readonly storeCreatedAt?: () => Promise<Date>;
  /** For messages that leave the outbox only when their consumer has stored them. Then `storeCreatedAt` is not needed. */
  readonly arrival?: Arrival;
}

/** What the relay asks to know whether a published message has reached its consumer. */
export interface Arrival {
  /** Those of the messages that the consumer has not stored. Throws while the consumer cannot be asked. */
  missing(messages: readonly OutboxMessage[]): Promise<readonly OutboxMessage[]>;
  /** Whether the store holds no message that the consumer has still to take: what is missing then is lost. */
  isDrained(): Promise<boolean>;
}

/** These can never be taken over; all the others of the batch were. They must not hold up the rest. */
export class RefusedMessages extends Error {
  /** Why, by event id. */
  readonly refused: ReadonlyMap<string, string>;

  constructor(refused: ReadonlyMap<string, string>) {
    super(`${refused.size} messages cannot be published: ${[...new Set(refused.values())].join('; ')}`);
    this.name = 'RefusedMessages';
    this.refused = refused;
  }
}
