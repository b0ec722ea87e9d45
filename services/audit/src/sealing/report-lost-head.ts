import type { Anomaly, ReportAnomaly } from '@claviger/service-kit';

/** Two events: for the tenant, whose log cannot prove it any more, and for whoever runs the installation. */
export function reportLostHead(report: ReportAnomaly, tenantId: string, problem: string): void {
  const anomaly: Anomaly = {
    alert: 'tree_head_lost',
    subject: { type: 'audit-log', id: tenantId },
    details: { problem },
  };
  report(anomaly);
  report({ ...anomaly, tenantId });
}
