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
 * over all but some that can never go; anything else it throws has all tried again.
 */
export interface Publisher {
  (messages: readonly OutboxMessage[]): Promise<void>;
  /** When the store that takes messages over was made: what was published before that is gone, and published again. */
  readonly storeCreatedAt?: () => Promise<Date>;
  /** How far the store is filled and consumed. Absent where messages have done their duty once they are taken over. */
  readonly progress?: () => Promise<StoreProgress>;
}

export interface StoreProgress {
  readonly createdAt: Date;
  /** Number of the newest message. */
  readonly stored: number;
  /** Every consumer has finished with all messages up to this number; -1 while there is no consumer. */
  readonly consumed: number;
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
