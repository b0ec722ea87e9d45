import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import { anyOf } from '@claviger/database';
import type { AuditEvent } from '@claviger/events';
import type { Handler } from '@claviger/service-kit';
import type { TenancyDeps } from './deps.ts';

/** Maximum number of sequence numbers that one call examines. */
const SPAN = 2_000;

/**
 * Returns the sequenced events of these actions, from a sequence number on. Repeatable: the same number
 * returns the same events.
 */
export function readLog(deps: TenancyDeps): Handler<typeof tenantLog.TenantLogService.readLog> {
  return ({ fromSequence, actions }, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const tree = await reader.selectFrom('trees').select('size').executeTakeFirst();
      const nextSequence = Math.max(fromSequence, Math.min(fromSequence + SPAN, tree?.size ?? 0));
      let query = reader
        .selectFrom('events')
        .select(['sequence', 'canonical'])
        .where('sequence', '>=', fromSequence)
        .where('sequence', '<', nextSequence);
      if (actions.length > 0) query = query.where('action', '=', anyOf(actions, 'text'));
      const rows = await query.orderBy('sequence').execute();
      return { items: rows.map((row) => loggedEvent(row.sequence!, row.canonical)), nextSequence };
    });
}

/** Reads the canonical event and not the columns. */
function loggedEvent(sequence: number, canonical: string): tenantLog.LoggedEvent {
  const event = JSON.parse(canonical) as AuditEvent;
  const { id, action, outcome, subjectType, subjectId, details, occurredAt } = event;
  return { sequence, id, action, outcome, subjectType, subjectId, details, occurredAt };
}
