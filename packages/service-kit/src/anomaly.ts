/**
 * Conditions that an operator must investigate. Each is recorded as the audit event `anomaly.<name with
 * hyphens>` and logged with the field `alert`; docs/operations.md explains each.
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

/**
 * One observation. Observations of one alert and subject within ten minutes become one event with a count.
 */
export interface Anomaly {
  readonly alert: Alert;
  readonly subject: { readonly type: string; readonly id: string };
  /** The tenant of the event; the tenant that runs the installation when absent. */
  readonly tenantId?: string | undefined;
  /** Public facts. Texts may come from an attacker: they are cut, and control characters are replaced. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** Reports an anomaly. Returns at once and never throws. */
export type ReportAnomaly = (anomaly: Anomaly) => void;

/** The action of an alert's audit event. */
export function anomalyAction(alert: Alert): string {
  return `anomaly.${alert.replaceAll('_', '-')}`;
}
