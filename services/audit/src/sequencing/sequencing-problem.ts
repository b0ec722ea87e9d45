/** The stored log does not match its signed heads: no further head may be signed. */
export class SequencingProblem extends Error implements HeadProblem {
  override readonly name = 'SequencingProblem';
  readonly behind: boolean;

  constructor(message: string, { behind = false } = {}) {
    super(message);
    this.behind = behind;
  }
}

/** Why the log of a tenant is not continued. */
export interface HeadProblem {
  readonly message: string;
  /**
   * The database has fewer events than a signed head outside it: it was truncated or restored to an older
   * state.
   */
  readonly behind: boolean;
}
