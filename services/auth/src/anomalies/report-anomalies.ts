import type * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import { storeAnomalies } from '@claviger/events';
import type { Alert, Handler } from '@claviger/service-kit';
import type { AnomaliesDeps } from './deps.ts';

/** Stores anomalies that a gateway observed; the stored rows become audit events. */
export function reportAnomalies({
  database,
}: Pick<AnomaliesDeps, 'database'>): Handler<typeof anomalies.AnomaliesService.reportAnomalies> {
  return async (request) => {
    const observed = request.anomalies.map(({ alert, subjectType, subjectId, tenantId, details, count }) => ({
      alert: alert as Alert,
      subject: { type: subjectType, id: subjectId },
      tenantId: tenantId || undefined,
      details: details ?? {},
      count,
    }));
    await storeAnomalies(database, observed);
    return {};
  };
}
