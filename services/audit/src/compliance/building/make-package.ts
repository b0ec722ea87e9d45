import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Control,
  createPackageBuilder,
  type FinishedPackage,
  type PackageBuilder,
  summaryPdf,
} from '@claviger/compliance-package';
import { createPace } from '@claviger/service-kit';
import { assessControls } from '../controls/assess-controls.ts';
import type { ComplianceDeps } from '../deps.ts';
import { instantsOf } from '../reports/report-range.ts';
import { addEvents, type EventCounts } from './add-events.ts';
import { addEvidence } from './add-evidence.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { holdLease } from './lease.ts';
import { LeaseLost, ReportProblem } from './report-problem.ts';
import { proofOfStretch, stretchOf } from './stretch.ts';

const CALL_TIMEOUT_MS = 30_000;
const MIB = 1024 * 1024;

/**
 * Makes the package of a claimed report in a temporary folder, passes it to `use`, then removes the folder.
 * Records the progress and renews the lease meanwhile.
 *
 * @throws {ReportProblem} when the package cannot be made at all.
 * @throws {LeaseLost} when another worker has the report, or the process stops.
 */
export async function makePackage(
  deps: ComplianceDeps,
  report: ClaimedReport,
  signal: AbortSignal,
  use: (finished: FinishedPackage) => Promise<void>,
): Promise<void> {
  const { tenantId, id, from, to, sections, bom, asOf } = report;
  const folder = await mkdtemp(join(tmpdir(), 'claviger-report-'));
  try {
    await using builder = createPackageBuilder(folder, {
      tenantId,
      reportId: id,
      generator: { name: 'claviger', version: deps.version },
      parameters: { from, to, sections: [...sections], ...(bom ? { bom } : {}) },
      asOf: asOf.toISOString(),
    });
    const range = instantsOf(report);
    const progress = progressOf(deps, report, signal, builder);
    const log = await addLog(deps, builder, report, range, (share) => progress(Math.floor(share * 70)));
    const options = { tenantId, timeoutMs: CALL_TIMEOUT_MS, signal };
    await addEvidence(builder, sections, deps.evidence, { ...range, asOf }, options);
    await progress(80);
    const controls = sections.includes('controls') ? await addControls(deps, builder, tenantId, signal) : [];
    await progress(90);
    const summary = await summaryPdf({
      tenantId,
      reportId: id,
      from,
      to,
      asOf: asOf.toISOString(),
      counts: builder.counts(),
      events: log?.counts,
      head: log?.head,
      controls,
    });
    const { treeHead, treeHeadPublic } = deps.keys;
    const finished = await builder.finish(summary, { privateKey: treeHead, publicKeys: [treeHeadPublic] });
    requireSize(finished.sizeBytes, deps.config.maxPackageMiB);
    await use(finished);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function addLog(
  { database }: ComplianceDeps,
  builder: PackageBuilder,
  { tenantId, sections, treeSize }: ClaimedReport,
  range: { from: Date; before: Date },
  onShare: (share: number) => Promise<void>,
): Promise<
  { counts: EventCounts; head: { size: number; rootHash: string; timestamp: string } | undefined } | undefined
> {
  if (!sections.includes('events')) return undefined;
  const { stretch, proof } = await database.readTenant(tenantId, async (reader) => {
    const stretch = await stretchOf(reader, range, treeSize);
    return { stretch, proof: await proofOfStretch(reader, tenantId, stretch, treeSize) };
  });
  const counts = await addEvents(builder, sections, { database, tenantId, stretch, range }, (done, total) =>
    onShare(done / total),
  );
  await builder.logProof(proof);
  return { counts, head: proof.heads.at(-1) };
}

async function addControls(
  deps: ComplianceDeps,
  builder: PackageBuilder,
  tenantId: string,
  signal: AbortSignal,
): Promise<readonly Control[]> {
  const controls = await assessControls(deps, tenantId, signal);
  const table = builder.table('controls', 'when-made');
  for (const control of controls) await table.add(control);
  await table.end();
  return controls;
}

/**
 * Runs between two batches: records the progress at most twice a second, stops when the lease is
 * lost, the size limit is exceeded or the process stops, and rests while the machine is busy.
 */
function progressOf(
  deps: ComplianceDeps,
  report: ClaimedReport,
  signal: AbortSignal,
  builder: PackageBuilder,
) {
  let shownAtMs = 0;
  const pace = createPace();
  return async (percent: number): Promise<void> => {
    await pace.rest();
    if (signal.aborted) throw new LeaseLost();
    requireSize(builder.packedBytes(), deps.config.maxPackageMiB);
    if (performance.now() - shownAtMs < 500) return;
    shownAtMs = performance.now();
    await deps.database.withTenant(report.tenantId, (tx) => holdLease(tx, report, percent));
  };
}

function requireSize(bytes: number, maxMiB: number): void {
  if (bytes > maxMiB * MIB)
    throw new ReportProblem(
      `The package would be larger than ${maxMiB} MiB. Request a shorter range or fewer sections.`,
    );
}
