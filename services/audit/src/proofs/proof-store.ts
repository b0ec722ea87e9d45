import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { NodeId, ReadNode, SignedTreeHead } from '@claviger/merkle';
import { sql } from 'kysely';
import { notSequenced } from '../not-sequenced.ts';
import type { AuditSchema } from '../schema.ts';
import { lastHead } from '../sequencing/head-store.ts';
import { headOfRow } from '../sequencing/tree-head-row.ts';

/** @throws {ClavigerError} `not_sealed` while the tenant has no tree head. */
export async function newestHead(reader: Reader<AuditSchema>): Promise<SignedTreeHead> {
  const head = await lastHead(reader);
  if (head === undefined) throw notSequenced('The audit log of this tenant is');
  return head;
}

/** The head of exactly this size. */
export async function headOfSize(
  reader: Reader<AuditSchema>,
  size: number,
): Promise<SignedTreeHead | undefined> {
  const row = await reader.selectFrom('tree_heads').selectAll().where('size', '=', size).executeTakeFirst();
  return row && headOfRow(row);
}

/**
 * Reads the nodes of a proof in one query. The returned function throws `integrity_error` for a missing node.
 */
export async function readNodes(reader: Reader<AuditSchema>, nodes: readonly NodeId[]): Promise<ReadNode> {
  const { rows } = await sql<{ level: number; index: number; hash: Buffer }>`
    SELECT level, index, hash FROM tree_nodes
    JOIN unnest(${nodes.map((node) => node.level)}::smallint[], ${nodes.map((node) => node.index)}::bigint[])
      AS wanted (level, index) USING (level, index)
    WHERE tenant_id = current_tenant()`.execute(reader);
  const hashes = new Map(rows.map((row) => [`${row.level}/${row.index}`, row.hash]));
  return (level, index) => {
    const hash = hashes.get(`${level}/${index}`);
    if (hash === undefined)
      throw new ClavigerError('integrity_error', 'A node of the audit log is missing.', {
        hint: 'Export the log as jsonl and verify it offline.',
      });
    return hash;
  };
}
