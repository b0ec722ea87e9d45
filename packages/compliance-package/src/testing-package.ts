import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appendLeaves,
  canonicalJson,
  consistencyProof,
  EMPTY_FRONTIER,
  emptyRoot,
  type Frontier,
  leafHash,
  type SignedTreeHead,
  signTreeHead,
} from '@claviger/merkle';
import type { Leaf, LogProof } from './content/log-proof.ts';
import { SECTIONS, TABLES } from './content/tables.ts';
import { createPackageBuilder, type PackageFacts } from './package-builder.ts';
import { summaryPdf } from './summary-pdf.ts';

export const TENANT = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';
const REPORT = '7e0b8f57-18a5-4f63-9d21-4b8d9f0a6c33';

export interface TestLog {
  readonly events: readonly Record<string, unknown>[];
  readonly heads: readonly SignedTreeHead[];
  readonly frontiers: readonly Frontier[];
  proof(first: number): Promise<string[]>;
}

export const signer = generateKeyPairSync('ed25519');

/** A log of one tenant, with a head after each of these sizes. Events are one hour apart, from 2026-03-01. */
export function testLog(
  count: number,
  headSizes: readonly number[],
  key: KeyObject = signer.privateKey,
): TestLog {
  const events = Array.from({ length: count }, (_, n) => ({
    id: `event-${n}`,
    tenantId: TENANT,
    action: n % 4 === 0 ? 'breakglass.activated' : 'vault.entry.retrieved',
    outcome: 'allowed',
    actorName: n % 5 === 0 ? '=HYPERLINK("x")' : 'ann',
    details: { n },
    occurredAt: new Date(Date.UTC(2026, 2, 1) + n * 3_600_000).toISOString(),
  }));
  const nodes = new Map<string, Buffer>();
  const frontiers: Frontier[] = [EMPTY_FRONTIER];
  const heads: SignedTreeHead[] = [];
  for (const event of events) {
    const appended = appendLeaves(frontiers.at(-1)!, [leafHash(canonicalJson(event))]);
    for (const node of appended.completedNodes) nodes.set(`${node.level}/${node.index}`, node.hash);
    frontiers.push(appended.frontier);
    if (headSizes.includes(appended.size)) {
      heads.push(
        signTreeHead(
          {
            tenantId: TENANT,
            size: appended.size,
            rootHash: appended.root.toString('hex'),
            timestamp: '2026-03-20T00:00:00.000Z',
            previousRootHash: heads.at(-1)?.rootHash ?? emptyRoot().toString('hex'),
          },
          key,
        ),
      );
    }
  }
  const newest = headSizes.at(-1)!;
  return {
    events,
    heads,
    frontiers,
    proof: async (first) =>
      (await consistencyProof(first, newest, (level, index) => nodes.get(`${level}/${index}`)!)).map((hash) =>
        hash.toString('hex'),
      ),
  };
}

export interface PackageChanges {
  readonly key?: KeyObject;
  readonly publicKeys?: readonly KeyObject[];
  readonly facts?: Partial<PackageFacts>;
  /** Replaces an event in the package. */
  readonly event?: (n: number, event: Record<string, unknown>) => Record<string, unknown>;
  readonly leaf?: (leaf: Leaf) => Leaf;
  readonly proof?: (proof: LogProof) => LogProof;
}

/**
 * Writes a package of the events of 2026-03-02 (sequence 24 to 47), with rows in every table, into `folder`.
 */
export async function writeTestPackage(
  folder: string,
  log: TestLog,
  changes: PackageChanges = {},
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'package-test-'));
  const [first, end] = [24, 48];
  try {
    await using builder = createPackageBuilder(work, {
      tenantId: TENANT,
      reportId: REPORT,
      generator: { name: 'claviger', version: '0.1.0' },
      parameters: { from: '2026-03-02', to: '2026-03-02', sections: [...SECTIONS] },
      asOf: '2026-03-20T08:00:00.000Z',
      ...changes.facts,
    });
    const events = builder.table('events', 'range');
    const breakGlass = builder.table('break-glass', 'range');
    const leaves = builder.leaves();
    for (let n = first; n < end; n += 1) {
      const event = changes.event?.(n, log.events[n]!) ?? log.events[n]!;
      const row = { sequence: n, event };
      const leaf: Leaf = {
        sequence: n,
        leafHash: leafHash(canonicalJson(log.events[n]!)).toString('hex'),
        text: 'included',
      };
      await leaves.add(changes.leaf?.(leaf) ?? leaf);
      if ((changes.leaf?.(leaf) ?? leaf).text !== 'included') continue;
      await events.add(row);
      if (String(event.action).startsWith('breakglass.')) await breakGlass.add(row);
    }
    for (const sink of [events, breakGlass, leaves]) await sink.end();
    for (const { name } of TABLES) {
      if (name === 'events' || name === 'break-glass') continue;
      const table = builder.table(name, 'when-made');
      await table.add({ id: `${name}-1`, username: '+cmd', roles: ['a', 'b'] });
      await table.end();
    }
    const proof: LogProof = {
      tenantId: TENANT,
      first,
      end,
      frontier: log.frontiers[first]!.nodes.map((node) => node.toString('hex')),
      heads: [...log.heads],
      endProof: await log.proof(end),
      headProofs: await Promise.all(
        log.heads
          .filter(({ size }) => size < first || size > end)
          .map(async ({ size }) => ({ size, proof: await log.proof(size) })),
      ),
    };
    await builder.logProof(changes.proof?.(proof) ?? proof);
    const pdf = await summaryPdf({
      tenantId: TENANT,
      reportId: REPORT,
      from: '2026-03-02',
      to: '2026-03-02',
      asOf: '2026-03-20T08:00:00.000Z',
      counts: builder.counts(),
      events: { allowed: 24, denied: 0, failed: 0 },
      head: log.heads.at(-1),
      controls: [],
    });
    const finished = await builder.finish(pdf, {
      privateKey: changes.key ?? signer.privateKey,
      publicKeys: changes.publicKeys ?? [signer.publicKey],
    });
    const file = join(folder, `${crypto.randomUUID()}.zip`);
    await writeFile(file, finished.bytes());
    return file;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
