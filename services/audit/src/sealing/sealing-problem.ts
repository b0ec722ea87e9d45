/** The stored log is not the one that was signed: nothing more may be signed on top of it. */
export class SealingProblem extends Error implements HeadProblem {
  override readonly name = 'SealingProblem';
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
   * The database knows fewer events than a head outside that is ours: an older state was restored, or the
   * tail was cut.
   */
  readonly behind: boolean;
}
