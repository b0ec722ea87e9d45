import type { KeyObject } from 'node:crypto';
import {
  canonicalJson,
  leafHash,
  rootOf,
  type SignedTreeHead,
  type TreeAccumulator,
  treeAccumulator,
} from '@claviger/merkle';
import { type Leaf, type LogProof, leafSchema } from '../content/log-proof.ts';
import type { Row } from '../content/tables.ts';
import { matchKnownHeads, requireBeginning, requireSignedHeads } from './check-heads.ts';
import { LogProblem } from './log-problem.ts';

export interface LogExpectations {
  readonly tenantId: string;
  /** Milliseconds; half open. */
  readonly from: number;
  readonly before: number;
  readonly keys: readonly KeyObject[];
  readonly knownHeads: readonly SignedTreeHead[];
}

export interface LogVerdict {
  /** Events whose text is in the package; each is proven. */
  readonly included: number;
  /** Events in the range with only their hash; according to the package they happened at another time. */
  readonly outsideRange: number;
  readonly knownHeadsMatched: number;
}

/** Compares leaves and events with the signed heads while reading. */
export interface LogCheck {
  /** Adds the next leaf of the range; returns whether the next event row belongs to it. */
  leaf(row: Row): boolean;
  /** Adds the event of the latest leaf. */
  event(row: Row): void;
  end(): LogVerdict;
}

/** @throws {LogProblem} here and from every method, at the first problem. */
export function startLogCheck(proof: LogProof, expected: LogExpectations): LogCheck {
  const { end, heads } = proof;
  const { knownHeads } = expected;
  if (proof.tenantId !== expected.tenantId) throw new LogProblem('the proof is of another tenant');
  requireSignedHeads(heads, knownHeads, expected);
  const newest = heads.at(-1);
  if (proof.first > end || end > (newest?.size ?? 0))
    throw new LogProblem('the range of the log is not covered by the newest head');
  const tree = openTree(proof);
  const roots = rootsAt(tree, [...heads, ...knownHeads]);
  const counts = { included: 0, outsideRange: 0 };
  let waiting: Leaf | undefined;
  const requireNoneWaiting = () => {
    if (waiting !== undefined) throw new LogProblem(`the text of event ${waiting.sequence} is missing`);
  };
  return {
    leaf: (row) => {
      requireNoneWaiting();
      const leaf = parseLeaf(row);
      if (leaf.sequence !== tree.size || leaf.sequence >= end)
        throw new LogProblem(`leaf ${leaf.sequence} is where leaf ${tree.size} is expected`);
      tree.add(Buffer.from(leaf.leafHash, 'hex'));
      roots.note();
      counts[leaf.text === 'outside-range' ? 'outsideRange' : 'included'] += 1;
      if (leaf.text === 'included') waiting = leaf;
      return waiting !== undefined;
    },
    event: (row) => {
      if (waiting === undefined) throw new LogProblem('there is an event without a leaf');
      requireEvent(row, waiting, expected);
      waiting = undefined;
    },
    end: () => {
      requireNoneWaiting();
      if (tree.size !== end) throw new LogProblem(`${tree.size} leaves could be read, not ${end}`);
      if (newest !== undefined)
        requireHeads(proof, newest, rootOf(tree.frontier()).toString('hex'), roots.at);
      const rootAt = (size: number) => roots.at(size) ?? heads.find((head) => head.size === size)?.rootHash;
      return { ...counts, knownHeadsMatched: matchKnownHeads(knownHeads, rootAt) };
    },
  };
}

/** The roots of the growing tree at the sizes of these heads. */
function rootsAt(tree: TreeAccumulator, heads: readonly SignedTreeHead[]) {
  const sizes = new Set(heads.map(({ size }) => size));
  const roots = new Map<number, string>();
  const note = () => {
    if (sizes.has(tree.size)) roots.set(tree.size, rootOf(tree.frontier()).toString('hex'));
  };
  note();
  return { note, at: (size: number) => roots.get(size) };
}

/** Requires that every head belongs to this log: by the leaves themselves, or by a proof. */
function requireHeads(
  proof: LogProof,
  newest: SignedTreeHead,
  endRoot: string,
  rootAt: (size: number) => string | undefined,
): void {
  requireBeginning(proof.end, endRoot, newest, proof.endProof);
  const proofs = new Map(proof.headProofs.map((each) => [each.size, each.proof]));
  for (const head of proof.heads) {
    const root = rootAt(head.size);
    if (root !== undefined && root !== head.rootHash)
      throw new LogProblem(`the leaves do not have the root of the head of size ${head.size}`);
    if (root === undefined && head !== newest)
      requireBeginning(head.size, head.rootHash, newest, proofs.get(head.size));
  }
}

function openTree({ first, frontier }: LogProof): TreeAccumulator {
  try {
    return treeAccumulator({ size: first, nodes: frontier.map((hex) => Buffer.from(hex, 'hex')) });
  } catch {
    throw new LogProblem('the frontier does not fit the beginning of the range');
  }
}

function parseLeaf(row: Row): Leaf {
  // The package cannot prove a removal itself: that would need a signed retention record, and none is
  // defined.
  if (row.text === 'removed')
    throw new LogProblem(
      `the text of event ${row.sequence} is missing, and no signed retention record says that it was removed`,
    );
  const parsed = leafSchema.safeParse(row);
  if (!parsed.success) throw new LogProblem('a leaf is malformed');
  return parsed.data;
}

function requireEvent(row: Row, { sequence, leafHash: hash }: Leaf, expected: LogExpectations): void {
  const event = row.event as { tenantId?: unknown; occurredAt?: unknown } | null | undefined;
  if (Object.keys(row).length !== 2 || row.sequence !== sequence || typeof event !== 'object' || !event)
    throw new LogProblem(`the row of event ${sequence} is missing or malformed`);
  if (leafHash(canonicalJson(event)).toString('hex') !== hash)
    throw new LogProblem(`the text of event ${sequence} does not belong to its leaf hash`);
  if (event.tenantId !== expected.tenantId) throw new LogProblem(`event ${sequence} is of another tenant`);
  const time = Date.parse(String(event.occurredAt));
  if (!(time >= expected.from && time < expected.before))
    throw new LogProblem(`event ${sequence} is outside of the range`);
}
