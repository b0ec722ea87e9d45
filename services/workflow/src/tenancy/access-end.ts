/** The reason why all access of a tenant ends: it was suspended, or the database was restored. */
export interface AccessEnd {
  readonly tenantId: string;
  /** The user who ordered it; absent if none did. */
  readonly endedBy?: string | undefined;
  /** Stored in the rows and events of the ended access. */
  readonly reason: string;
}
