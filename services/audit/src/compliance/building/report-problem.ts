/** A permanent failure: no later attempt can succeed. The message is shown to the requester. */
export class ReportProblem extends Error {
  override readonly name = 'ReportProblem';
}

/** Another worker makes this report now, or the process stops: this worker writes nothing more for it. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}
