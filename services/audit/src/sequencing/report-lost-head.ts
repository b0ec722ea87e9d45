import type { Anomaly, ReportAnomaly } from '@claviger/service-kit';

/** Reports two anomalies: one to the tenant, whose log can no longer be proven, and one to the operator. */
export function reportLostHead(report: ReportAnomaly, tenantId: string, problem: string): void {
  const anomaly: Anomaly = {
    alert: 'tree_head_lost',
    subject: { type: 'audit-log', id: tenantId },
    details: { problem },
  };
  report(anomaly);
  report({ ...anomaly, tenantId });
}
