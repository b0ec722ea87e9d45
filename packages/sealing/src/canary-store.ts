/** Where a service keeps the value that tells the right root key from a wrong one. */
export interface CanaryStore {
  /** The canary; undefined for an empty database; `lost` when there is data but no canary. */
  read(): Promise<Uint8Array | 'lost' | undefined>;
  /** For an empty database. Of two that store at once the first one's stays. Answers the one that is there now. */
  storeFirst(blob: Buffer, providerId: string): Promise<Uint8Array>;
}
