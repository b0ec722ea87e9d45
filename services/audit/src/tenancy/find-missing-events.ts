import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import type { Handler } from '@claviger/service-kit';
import { findMissing } from '../ingestion/find-missing.ts';
import type { TenancyDeps } from './deps.ts';

/**
 * Returns the published events that audit has neither stored nor kept as dead letters. The relays of the
 * other services call it and publish these events again.
 */
export function findMissingEvents(
  deps: TenancyDeps,
): Handler<typeof tenantLog.TenantLogService.findMissingEvents> {
  return async ({ events }) => ({ missing: await findMissing(deps.database, events) });
}
