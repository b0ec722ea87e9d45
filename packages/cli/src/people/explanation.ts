/** What a problem code means. */
export interface Explanation {
  readonly meaning: string;
  /** What to do next. */
  readonly next: string;
}
