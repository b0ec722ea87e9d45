import type { KeyObject } from 'node:crypto';
import { type Database, sqlState } from '@claviger/database';
import type { OutboxMessage } from '@claviger/events';
import { failpoint, type Logger } from '@claviger/service-kit';
import type { AuditSchema } from '../schema.ts';
import { checkMessage, type ProvenEvent } from './check-message.ts';
import { insertDeadLetter, insertEvents } from './event-store.ts';

export interface IngestionDeps {
  readonly database: Database<AuditSchema>;
  readonly logger: Logger;
  readonly macs: ReadonlyMap<string, KeyObject>;
}

/**
 * Stores a batch: each message becomes one event of its tenant, or a dead letter with a reason. Throws only
 * when the database is unavailable; NATS then redelivers the whole batch.
 */
export async function ingestEvents(deps: IngestionDeps, messages: readonly OutboxMessage[]): Promise<void> {
  const checked = messages.map((message) => checkMessage(message, deps.macs));
  const proven = checked.filter((each) => 'event' in each);
  for (const each of checked) if ('problem' in each) await refuse(deps, each.message, each.problem);
  for (const [tenantId, events] of Map.groupBy(proven, ({ event }) => event.tenantId)) {
    await insertOfTenant(deps, tenantId, unique(events));
  }
  await failpoint('audit.ingest.before_ack');
}

/** Removes repeated events: a batch may contain an event twice, an INSERT must not. */
function unique(events: readonly ProvenEvent[]): ProvenEvent[] {
  const byText = new Map(events.map((each) => [`${each.event.id} ${each.leafHash.toString('hex')}`, each]));
  return [...byText.values()];
}

async function insertOfTenant(
  deps: IngestionDeps,
  tenantId: string,
  events: readonly ProvenEvent[],
): Promise<void> {
  try {
    const twice = await deps.database.withTenant(tenantId, (tx) => insertEvents(tx, tenantId, events));
    for (const each of twice) await refuse(deps, each.message, 'its id belongs to another event');
  } catch (error) {
    const state = sqlState(error);
    // SQLSTATE classes 22 and 23: this data cannot be stored. Other errors are not about the message:
    // redeliver it.
    if (state === undefined || !/^2[23]/.test(state)) throw error;
    // A message that cannot be stored must not block the others.
    if (events.length === 1) await refuse(deps, events[0]!.message, `it cannot be stored (${state})`);
    else for (const each of events) await insertOfTenant(deps, tenantId, [each]);
  }
}

async function refuse(deps: IngestionDeps, message: OutboxMessage, reason: string): Promise<void> {
  await deps.database.system((tx) => insertDeadLetter(tx, message, reason));
  deps.logger.error(
    { subject: message.subject, claimedTenant: message.tenantId, claimedEvent: message.eventId, reason },
    'a message on the bus is not a valid event; it is kept as a dead letter; find out who sent it',
  );
}
