/**
 * Conditions that an operator is to look at. Each leaves an audit event `anomaly.<name with hyphens>` and lines in the log with
 * the field `alert`; docs/operations.md says what each means and what to do.
 */
export const ALERTS = [
  'disclosure_budget_reached',
  'node_name_twice',
  'tree_head_lost',
  'internal_certificate_refused',
  'internal_call_refused',
  'last_replica_demoted',
  'journal_record_quarantined',
] as const;

export type Alert = (typeof ALERTS)[number];

/** One observation. Observations of one alert and subject within ten minutes are one event with a count. */
export interface Anomaly {
  readonly alert: Alert;
  readonly subject: { readonly type: string; readonly id: string };
  /** Whose event it is; the tenant that runs the installation when absent. */
  readonly tenantId?: string | undefined;
  /** Public facts. Texts may come from an attacker: they are cut and cleaned. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Tells of an anomaly. Returns at once and never throws. */
export type ReportAnomaly = (anomaly: Anomaly) => void;

/** The action of an alert's audit event. */
export function anomalyAction(alert: Alert): string {
  return `anomaly.${alert.replaceAll('_', '-')}`;
}
