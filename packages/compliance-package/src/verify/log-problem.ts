/** Something in the log part of a package does not hold. */
export class LogProblem extends Error {
  override readonly name = 'LogProblem';
}
