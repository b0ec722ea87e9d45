/** The stored log is not the one that was signed: nothing more may be signed on top of it. */
export class SealingProblem extends Error {
  override readonly name = 'SealingProblem';
}
