/** The log part of a package is not valid. */
export class LogProblem extends Error {
  override readonly name = 'LogProblem';
}
