import type { LogProof } from '@claviger/compliance-package';
import { anyOf, type Reader } from '@claviger/database';
import { consistencyProof, consistencyProofNodes, type NodeId, type SignedTreeHead } from '@claviger/merkle';
import { sql } from 'kysely';
import { readNodes } from '../../proofs/proof-store.ts';
import type { AuditSchema } from '../../schema.ts';
import { headOfRow } from '../../sequencing/tree-head-row.ts';

/** A stretch of the sequenced log: `first` is included, `end` is not. */
export interface Stretch {
  readonly first: number;
  readonly end: number;
}

const MAX_HEADS = 1_000;

/**
 * Returns the stretch from the first to the last event within the range, with all events sequenced in
 * between.
 */
export async function stretchOf(
  reader: Reader<AuditSchema>,
  range: { from: Date; before: Date },
  treeSize: number,
): Promise<Stretch> {
  const found = await reader
    .selectFrom('events')
    .select((eb) => [
      eb.fn.min<number | null>('sequence').as('first'),
      eb.fn.max<number | null>('sequence').as('last'),
    ])
    .where('occurred_at', '>=', range.from)
    .where('occurred_at', '<', range.before)
    .where('sequence', '<', treeSize)
    .executeTakeFirstOrThrow();
  if (found.first === null || found.last === null) return { first: treeSize, end: treeSize };
  return { first: found.first, end: found.last + 1 };
}

/**
 * Proves the stretch against the signed log: the frontier before it, the heads before, within and after it,
 * and their consistency proofs. Within the stretch, the last head of each day is included.
 */
export async function proofOfStretch(
  reader: Reader<AuditSchema>,
  tenantId: string,
  { first, end }: Stretch,
  treeSize: number,
): Promise<LogProof> {
  const heads = await headsOf(reader, { first, end }, treeSize);
  const outside = heads.filter(({ size }) => (size < first || size > end) && size !== treeSize);
  const frontier = frontierNodes(first);
  const proven = [end, ...outside.map(({ size }) => size)].filter((size) => size > 0);
  const nodes = await readNodes(reader, [
    ...frontier,
    ...proven.flatMap((size) => consistencyProofNodes(size, treeSize)),
  ]);
  const proofOf = async (size: number): Promise<string[]> =>
    size === 0 ? [] : (await consistencyProof(size, treeSize, nodes)).map((hash) => hash.toString('hex'));
  return {
    tenantId,
    first,
    end,
    frontier: await Promise.all(
      frontier.map(async ({ level, index }) => (await nodes(level, index)).toString('hex')),
    ),
    heads,
    endProof: await proofOf(end),
    headProofs: await Promise.all(outside.map(async ({ size }) => ({ size, proof: await proofOf(size) }))),
  };
}

/** The last head before the stretch, the last head of each day within it, and the newest head. */
async function headsOf(
  reader: Reader<AuditSchema>,
  { first, end }: Stretch,
  treeSize: number,
): Promise<SignedTreeHead[]> {
  const { rows } = await sql<{ size: number }>`
    (SELECT size FROM tree_heads WHERE size <= ${first} ORDER BY size DESC LIMIT 1)
    UNION
    (SELECT max(size) FROM tree_heads WHERE size > ${first} AND size <= ${end}
      GROUP BY (timestamp AT TIME ZONE 'UTC')::date ORDER BY 1 LIMIT ${MAX_HEADS})
    UNION
    (SELECT size FROM tree_heads WHERE size = ${treeSize})`.execute(reader);
  if (rows.length === 0) return [];
  const heads = await reader
    .selectFrom('tree_heads')
    .selectAll()
    .where(
      'size',
      '=',
      anyOf(
        rows.map(({ size }) => size),
        'bigint',
      ),
    )
    .orderBy('size')
    .execute();
  return heads.map(headOfRow);
}

/** The perfect subtrees that cover the leaves before `size`, largest first. */
export function frontierNodes(size: number): NodeId[] {
  const nodes: NodeId[] = [];
  let at = 0;
  // Not `>> 1`: bit operators truncate to 32 bits.
  for (let level = 52; level >= 0; level -= 1) {
    const width = 2 ** level;
    if (Math.floor(size / width) % 2 === 0) continue;
    nodes.push({ level, index: at / width });
    at += width;
  }
  return nodes;
}
