import type { Control } from '@claviger/compliance-package';
import type { Reader } from '@claviger/database';
import { leafHash, rootOf, treeAccumulator, verifyTreeHead } from '@claviger/merkle';
import { sql } from 'kysely';
import { readNodes } from '../../proofs/proof-store.ts';
import type { AuditSchema } from '../../schema.ts';
import { lastHead } from '../../sequencing/head-store.ts';
import { frontierNodes } from '../building/stretch.ts';
import { type Assessment, assessedControl } from './assessment.ts';

/** Number of the newest events that are hashed again; the stored tree nodes cover older events. */
const REHASHED = 10_000;
const UNSEQUENCED_LIMIT_MS = 60_000;

/**
 * Whether the log matches its newest signed head, sequencing keeps up, and heads exist outside the database.
 */
export async function logControls({ deps, tenantId }: Assessment): Promise<Control[]> {
  const { database, keys, headsFile } = deps;
  const found = await database.readTenant(tenantId, async (reader) => {
    const head = await lastHead(reader);
    const size = head?.size ?? 0;
    const root = await rootFromEvents(reader, size);
    const { rows } = await sql<{ unsequenced: number; age_ms: number | null; quarantined: number }>`
      SELECT count(*) AS unsequenced,
        (extract(epoch FROM clock_timestamp() - min(received_at)) * 1000)::bigint AS age_ms,
        (SELECT count(*) FROM quarantined_events) AS quarantined
      FROM events WHERE sequence IS NULL
        AND event_id NOT IN (SELECT event_id FROM quarantined_events)`.execute(reader);
    return { head, size, root, ...rows[0]! };
  });
  const { head, size, root } = found;
  const signed = head === undefined || verifyTreeHead(head, [keys.treeHeadPublic]);
  const whole = head === undefined || root === head.rootHash;
  const outside = headsFile.newest(tenantId);
  const kept = head === undefined || (outside !== undefined && headsFile.problem() === undefined);
  return [
    assessedControl({
      id: 'audit-log-unbroken',
      title: 'The audit log matches its signed tree heads',
      examined: size,
      violations: [signed, whole].filter((holds) => !holds).length,
      detail: `The newest ${Math.min(size, REHASHED)} events were hashed again; older events are covered by the stored tree.`,
      computedFrom: 'audit: events, tree_nodes, signature and root of the newest tree head',
    }),
    assessedControl({
      id: 'audit-events-sealed',
      title: 'Every event is sequenced within a minute, and none was altered before',
      examined: found.unsequenced + found.quarantined,
      violations: Number((found.age_ms ?? 0) > UNSEQUENCED_LIMIT_MS) + found.quarantined,
      detail: `The oldest unsequenced event is ${Math.round((found.age_ms ?? 0) / 1_000)} seconds old.`,
      computedFrom: 'audit: events without a sequence number, quarantined_events',
    }),
    assessedControl({
      id: 'tree-heads-outside',
      title: 'Tree heads are kept outside the database',
      examined: head === undefined ? 0 : 1,
      violations: kept ? 0 : 1,
      computedFrom: 'audit: the heads file of the replica that answered',
    }),
  ];
}

/** Returns the root computed from the stored nodes and the text of the newest events. */
async function rootFromEvents(reader: Reader<AuditSchema>, size: number): Promise<string> {
  const first = Math.max(0, size - REHASHED);
  const ids = frontierNodes(first);
  const nodes = await readNodes(reader, ids);
  const tree = treeAccumulator({
    size: first,
    nodes: await Promise.all(ids.map(({ level, index }) => nodes(level, index))),
  });
  for (let next = first; next < size; ) {
    const rows = await reader
      .selectFrom('events')
      .select(['sequence', 'canonical'])
      .where('sequence', '>=', next)
      .where('sequence', '<', size)
      .orderBy('sequence')
      .limit(1_000)
      .execute();
    if (rows.length === 0) return 'events are missing';
    for (const row of rows) tree.add(leafHash(row.canonical));
    next = rows.at(-1)!.sequence! + 1;
  }
  return tree.size === size ? rootOf(tree.frontier()).toString('hex') : 'events are missing';
}
