import type * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import type { Handler } from '@claviger/service-kit';
import { platformTenantId } from '../license/license-store.ts';
import type { AnomaliesDeps } from './deps.ts';

export function getPlatformTenant({
  database,
}: Pick<AnomaliesDeps, 'database'>): Handler<typeof anomalies.AnomaliesService.getPlatformTenant> {
  return async () => ({ tenantId: (await platformTenantId(database)) ?? '' });
}
