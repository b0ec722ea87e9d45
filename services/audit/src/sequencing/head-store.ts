import type { Reader, Tx } from '@claviger/database';
import { type Frontier, HASH_LENGTH, type SignedTreeHead, type StoredNode } from '@claviger/merkle';
import { sql } from 'kysely';
import type { AuditSchema } from '../schema.ts';
import type { UnsequencedRow } from './find-altered.ts';
import { SequencingProblem } from './sequencing-problem.ts';
import { headOfRow, rowOfHead } from './tree-head-row.ts';

export interface LockedTree {
  readonly frontier: Frontier;
}

/** Locks the tenant's tree for this transaction; undefined while another transaction holds it. */
export async function lockTree(tx: Tx<AuditSchema>, tenantId: string): Promise<LockedTree | undefined> {
  await tx
    .insertInto('trees')
    .values({ tenant_id: tenantId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await tx
    .selectFrom('trees')
    .select(['size', 'frontier'])
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const nodes = [];
  for (let at = 0; at < row.frontier.length; at += HASH_LENGTH)
    nodes.push(row.frontier.subarray(at, at + HASH_LENGTH));
  if (nodes.length !== onesOf(row.size))
    throw new SequencingProblem(`the stored frontier does not fit a tree of ${row.size} events`);
  return { frontier: { size: row.size, nodes } };
}

function onesOf(size: number): number {
  return size.toString(2).replaceAll('0', '').length;
}

export async function lastHead(reader: Reader<AuditSchema>): Promise<SignedTreeHead | undefined> {
  const row = await reader
    .selectFrom('tree_heads')
    .selectAll()
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && headOfRow(row);
}

/** The oldest unsequenced events, by time of arrival. */
export function selectUnsequenced(tx: Tx<AuditSchema>, limit: number): Promise<UnsequencedRow[]> {
  return tx
    .selectFrom('events')
    .select(['event_id', 'canonical', 'leaf_hash', 'mac', 'service'])
    .where('sequence', 'is', null)
    .where('event_id', 'not in', tx.selectFrom('quarantined_events').select('event_id'))
    .orderBy('received_at')
    .orderBy('event_id')
    .limit(limit)
    .execute();
}

export async function quarantine(
  tx: Tx<AuditSchema>,
  tenantId: string,
  reasons: ReadonlyMap<string, string>,
): Promise<void> {
  await tx
    .insertInto('quarantined_events')
    .values([...reasons].map(([event_id, reason]) => ({ tenant_id: tenantId, event_id, reason })))
    .execute();
}

/** Assigns the next sequence numbers to the events, in order. */
export async function storeSequences(
  tx: Tx<AuditSchema>,
  events: readonly UnsequencedRow[],
  first: number,
): Promise<void> {
  await sql`
    UPDATE events SET sequence = given.sequence
    FROM unnest(${events.map((event) => event.event_id)}::uuid[], ${events.map((_, i) => first + i)}::bigint[])
      AS given (event_id, sequence)
    WHERE events.tenant_id = current_tenant() AND events.event_id = given.event_id`.execute(tx);
}

export async function storeNodes(
  tx: Tx<AuditSchema>,
  tenantId: string,
  nodes: readonly StoredNode[],
): Promise<void> {
  await sql`
    INSERT INTO tree_nodes (tenant_id, level, index, hash)
    SELECT ${tenantId}::uuid, * FROM unnest(
      ${nodes.map((node) => node.level)}::smallint[],
      ${nodes.map((node) => node.index)}::bigint[],
      ${nodes.map((node) => node.hash)}::bytea[])`.execute(tx);
}

export async function storeHead(
  tx: Tx<AuditSchema>,
  head: SignedTreeHead,
  frontier: Frontier,
): Promise<void> {
  await Promise.all([
    tx
      .updateTable('trees')
      .set((eb) => ({
        size: head.size,
        frontier: Buffer.concat(frontier.nodes),
        heads: eb('heads', '+', 1),
      }))
      .where('tenant_id', '=', head.tenantId)
      .execute(),
    tx.insertInto('tree_heads').values(rowOfHead(head)).execute(),
  ]);
}
