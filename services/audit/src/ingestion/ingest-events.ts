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
 * Takes a batch over for good: each message becomes an event of its tenant, once, or a dead letter with a reason. Throws
 * only when the database cannot be reached, to have the whole batch given again.
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

/** A batch may hold the same event twice; one INSERT may not. */
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
    for (const each of twice) await refuse(deps, each.message, 'its id stands for another event already');
  } catch (error) {
    const state = sqlState(error);
    // Class 22 and 23: this data cannot be stored. Everything else says nothing about the message: it is given again.
    if (state === undefined || !/^2[23]/.test(state)) throw error;
    // One that cannot be stored must not hold up the others.
    if (events.length === 1) await refuse(deps, events[0]!.message, `it cannot be stored (${state})`);
    else for (const each of events) await insertOfTenant(deps, tenantId, [each]);
  }
}

async function refuse(deps: IngestionDeps, message: OutboxMessage, reason: string): Promise<void> {
  await deps.database.system((tx) => insertDeadLetter(tx, message, reason));
  deps.logger.error(
    { subject: message.subject, claimedTenant: message.tenantId, claimedEvent: message.eventId, reason },
    'a message on the bus is no event of ours: it was kept as a dead letter; find out who sent it',
  );
}
