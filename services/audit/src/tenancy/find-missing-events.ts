import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import type { Handler } from '@claviger/service-kit';
import { findMissing } from '../ingestion/find-missing.ts';
import type { TenancyDeps } from './deps.ts';

/** Called by the relays of other services, which keep the missing events. */
export function findMissingEvents(
  deps: TenancyDeps,
): Handler<typeof tenantLog.TenantLogService.findMissingEvents> {
  return async ({ events }) => ({ missing: await findMissing(deps.database, events) });
}
