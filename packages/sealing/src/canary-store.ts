/** Stores the canary, a value that only the right root key can decrypt. */
export interface CanaryStore {
  /** The canary; undefined for an empty database; `lost` when there is data but no canary. */
  read(): Promise<Uint8Array | 'lost' | undefined>;
  /**
   * For an empty database. Of two concurrent calls, the first one's canary stays. Returns the stored canary.
   */
  storeFirst(blob: Buffer, providerId: string): Promise<Uint8Array>;
}
