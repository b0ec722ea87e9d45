import type * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import { storeAnomalies } from '@claviger/events';
import type { Alert, Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { objectId } from '../object-id.ts';

/** Keeps what a gateway observed; the event follows from the table. */
export function reportAnomalies({
  database,
}: Pick<AuthDeps, 'database'>): Handler<typeof anomalies.AnomaliesService.reportAnomalies> {
  return async (request) => {
    const observed = request.anomalies.map(({ alert, subjectType, subjectId, tenantId, details, count }) => ({
      alert: alert as Alert,
      subject: { type: subjectType, id: subjectId },
      tenantId: tenantId === '' ? undefined : objectId(tenantId),
      details: details ?? {},
      count,
    }));
    await storeAnomalies(database, observed);
    return {};
  };
}
