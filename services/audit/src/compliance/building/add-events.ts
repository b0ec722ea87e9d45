import { BREAK_GLASS_PREFIX, type PackageBuilder, type Section } from '@claviger/compliance-package';
import type { Database } from '@claviger/database';
import type { AuditEvent } from '@claviger/events';
import { leafHash } from '@claviger/merkle';
import { differingMembers } from '../../event-columns.ts';
import type { AuditSchema, EventRow } from '../../schema.ts';
import { ReportProblem } from './report-problem.ts';
import type { Stretch } from './stretch.ts';

const BATCH = 1_000;

export interface EventCounts {
  readonly allowed: number;
  readonly denied: number;
  readonly failed: number;
}

/**
 * Adds the events of a stretch: the text of each event within the range, and the leaf hash of every event.
 * Memory use does not depend on the number of events.
 *
 * @throws {ReportProblem} when an event is missing or altered: a damaged log must not be signed again.
 */
export async function addEvents(
  builder: PackageBuilder,
  sections: readonly Section[],
  source: {
    readonly database: Database<AuditSchema>;
    readonly tenantId: string;
    readonly stretch: Stretch;
    readonly range: { readonly from: Date; readonly before: Date };
  },
  onProgress: (done: number, total: number) => Promise<void>,
): Promise<EventCounts> {
  const { database, tenantId, stretch, range } = source;
  const events = builder.table('events', 'range');
  const breakGlass = sections.includes('break-glass') ? builder.table('break-glass', 'range') : undefined;
  const leaves = builder.leaves();
  const counts = { allowed: 0, denied: 0, failed: 0 };
  let next = stretch.first;
  while (next < stretch.end) {
    const rows = await database.readTenant(tenantId, (reader) =>
      reader
        .selectFrom('events')
        .selectAll()
        .where('sequence', '>=', next)
        .where('sequence', '<', stretch.end)
        .orderBy('sequence')
        .limit(BATCH)
        .execute(),
    );
    for (const row of rows) {
      if (row.sequence !== next) throw new ReportProblem(`Event ${next} is missing in the audit log.`);
      next += 1;
      const event = sequencedEvent(row);
      const time = Date.parse(event.occurredAt);
      const included = time >= range.from.getTime() && time < range.before.getTime();
      await leaves.add({
        sequence: row.sequence,
        leafHash: row.leaf_hash.toString('hex'),
        text: included ? 'included' : 'outside-range',
      });
      if (!included) continue;
      counts[event.outcome] += 1;
      await events.add({ sequence: row.sequence, event });
      if (event.action.startsWith(BREAK_GLASS_PREFIX))
        await breakGlass?.add({ sequence: row.sequence, event });
    }
    if (rows.length === 0) throw new ReportProblem(`Event ${next} is missing in the audit log.`);
    await onProgress(next - stretch.first, stretch.end - stretch.first);
  }
  await events.end();
  await breakGlass?.end();
  await leaves.end();
  return counts;
}

/** Returns the hashed event after checking its text and columns against the leaf hash. */
function sequencedEvent(row: EventRow): AuditEvent {
  const altered = new ReportProblem(
    `Event ${row.sequence} of the audit log was altered after it was sequenced. Export the log as jsonl and verify the export offline: the verification names every altered event.`,
  );
  if (!leafHash(row.canonical).equals(row.leaf_hash)) throw altered;
  const event = JSON.parse(row.canonical) as AuditEvent;
  if (Object.keys(differingMembers(row, event)).length > 0) throw altered;
  return event;
}
