import type * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import type { Database } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { platformTenantId } from '../licence/licence-store.ts';
import type { AuthSchema } from '../schema.ts';

export function getPlatformTenant(
  database: Database<AuthSchema>,
): Handler<(typeof anomalies.AnomaliesService)['getPlatformTenant']> {
  return async () => ({ tenantId: (await platformTenantId(database)) ?? '' });
}
