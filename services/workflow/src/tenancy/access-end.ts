/** Why the access of a whole tenant ends: it was suspended, or the database was restored to an older state. */
export interface AccessEnd {
  readonly tenantId: string;
  /** The user who ordered it; absent where no user did. */
  readonly endedBy?: string | undefined;
  /** Stands in the rows and events of what ends. */
  readonly reason: string;
}
