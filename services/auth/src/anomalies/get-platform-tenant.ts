import type * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { platformTenantId } from '../licence/licence-store.ts';

export function getPlatformTenant({
  database,
}: Pick<AuthDeps, 'database'>): Handler<typeof anomalies.AnomaliesService.getPlatformTenant> {
  return async () => ({ tenantId: (await platformTenantId(database)) ?? '' });
}
