/** The report cannot be made, however often it is tried. The text is shown to whoever asked for it. */
export class ReportProblem extends Error {
  override readonly name = 'ReportProblem';
}

/** Another replica makes this report now: nothing more may be written for it here. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}
