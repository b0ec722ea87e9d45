/** The end of an account, or its transfer to another person. */
export interface AccountEnd {
  readonly userId: string;
  readonly cause: string;
  /** The user who changed the account. */
  readonly changedBy: string;
}
