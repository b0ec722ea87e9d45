/** An account that has ended, or that somebody else has now. */
export interface AccountEnd {
  readonly userId: string;
  readonly cause: string;
  /** User who changed it. */
  readonly changedBy: string;
}
