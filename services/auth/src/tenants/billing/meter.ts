import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';

/** One billing event without its sequence number. */
export interface Metered {
  readonly id: string;
  readonly auditSequence: number;
  readonly kind: string;
  readonly quantity: number;
  readonly unit: 'count' | 'seconds';
  readonly subjectType: string;
  readonly subjectId: string;
  readonly occurredAt: string;
}

/** The billing kind of each audited action that counts once per event. */
const COUNTED: Readonly<Record<string, string>> = {
  'tenant.provisioned': 'tenant.provisioned',
  'tenant.suspended': 'tenant.suspended',
  'tenant.reinstated': 'tenant.reinstated',
  'tenant.deprovisioned': 'tenant.deprovisioned',
  'tenant.destroyed': 'tenant.destroyed',
  'auth.administrator.bootstrapped': 'user.added',
  'auth.setup.completed': 'user.added',
  'user.created': 'user.added',
  'user.deleted': 'user.removed',
  'resource.created': 'resource.added',
  'resource.deleted': 'resource.removed',
  'vault.entry.created': 'entry.added',
  'vault.entry.deleted': 'entry.removed',
  'vault.entry.retrieved': 'credential.disclosed',
  'vault.credentials.delivered': 'credential.disclosed',
  'vault.entry.rotated': 'rotation.done',
};

/** Actions that end a grant and are billed by its duration. */
const TIMED: readonly string[] = ['grant.expired', 'grant.revoked'];

/** The actions to read from the log. */
export const METERED_ACTIONS: readonly string[] = [...Object.keys(COUNTED), ...TIMED];

/**
 * Returns the billing event of an audit event; undefined if it is not billed. Pure: metering a log again from
 * its beginning returns the same rows in the same order.
 */
export function meter(event: tenantLog.LoggedEvent, tenantId: string): Metered | undefined {
  if (event.outcome !== 'allowed') return undefined;
  // The platform's log also contains events about other tenants; those are billed from the tenant's own log.
  if (event.action.startsWith('tenant.') && event.subjectId !== tenantId) return undefined;
  const kind = Object.hasOwn(COUNTED, event.action) ? COUNTED[event.action] : undefined;
  if (kind) return rowOf(event, kind, 1, 'count');
  if (!TIMED.includes(event.action)) return undefined;
  const { startsAt, endedAt, repeated } = event.details ?? {};
  // Another call confirmed the same end.
  if (repeated === true) return undefined;
  const seconds = (Date.parse(String(endedAt)) - Date.parse(String(startsAt))) / 1_000;
  return Number.isFinite(seconds)
    ? rowOf(event, 'grant.time', Math.max(0, Math.round(seconds)), 'seconds')
    : undefined;
}

function rowOf(event: tenantLog.LoggedEvent, kind: string, quantity: number, unit: Metered['unit']): Metered {
  return {
    id: event.id,
    auditSequence: event.sequence,
    kind,
    quantity,
    unit,
    subjectType: event.subjectType,
    subjectId: event.subjectId,
    occurredAt: event.occurredAt!,
  };
}
