import { createHash, type KeyObject } from 'node:crypto';
import type { SignedTreeHead } from '@claviger/merkle';
import { parseLogProof } from '../content/log-proof.ts';
import { LEAVES, LOG_PROOF, type Manifest } from '../content/manifest.ts';
import { jsonRows, readRows } from '../content/row-file.ts';
import { BREAK_GLASS_PREFIX, type Row, tableFiles } from '../content/tables.ts';
import { LogProblem } from './log-problem.ts';
import type { PackageReader } from './package-reader.ts';
import { type LogVerdict, startLogCheck } from './verify-log.ts';
import { checkTable } from './verify-table.ts';

/** The tables do not match each other or the manifest. */
export class TableProblem extends Error {
  override readonly name = 'TableProblem';
}

export interface TableOptions {
  readonly keys: readonly KeyObject[];
  readonly knownHeads: readonly SignedTreeHead[];
}

const DAY_MS = 86_400_000;

/**
 * Reads every table. Row counts must match the manifest, the CSV must match the JSON, the log must prove the
 * events, and the break-glass table must be exactly that part of the events. Returns null for the log if the
 * package contains no events.
 */
export async function verifyTables(
  reader: PackageReader,
  manifest: Manifest,
  options: TableOptions,
): Promise<LogVerdict | null> {
  let log: LogWatch | undefined;
  for (const { name, rows } of manifest.tables.toSorted(eventsFirst)) {
    const { json, csv } = tableFiles(name);
    if (name === 'events') log = await watchLog(reader, manifest, options);
    const checked = await checkTable(
      name,
      reader.stream(json),
      manifest.parameters.bom,
      name === 'events' ? log?.row : undefined,
    );
    if (name === 'events') await log?.end();
    if (checked.rows !== rows) throw new TableProblem(`${json} has ${checked.rows} rows, not ${rows}`);
    await reader.check(csv);
    if (checked.csvSha256 !== reader.sha256(csv)) throw new TableProblem(`${csv} does not match ${json}`);
    if (name === 'break-glass' && reader.sha256(json) !== log?.breakGlassSha256())
      throw new TableProblem('the table of break-glass events does not match the events');
  }
  return log?.verdict() ?? null;
}

function eventsFirst(a: { name: string }, b: { name: string }): number {
  return Number(b.name === 'events') - Number(a.name === 'events');
}

interface LogWatch {
  row(row: Row): Promise<void>;
  end(): Promise<void>;
  verdict(): LogVerdict | undefined;
  /** SHA-256 of the break-glass table that these events give. */
  breakGlassSha256(): string;
}

/** Reads the leaves in parallel with the events. */
async function watchLog(
  reader: PackageReader,
  { tenantId, parameters }: Manifest,
  options: TableOptions,
): Promise<LogWatch> {
  const proof = parseLogProof(await reader.text(LOG_PROOF));
  if (proof === undefined) throw new LogProblem(`${LOG_PROOF} is malformed`);
  const check = startLogCheck(proof, {
    tenantId,
    from: Date.parse(`${parameters.from}T00:00:00Z`),
    before: Date.parse(`${parameters.to}T00:00:00Z`) + DAY_MS,
    ...options,
  });
  const leaves = readRows(LEAVES, reader.stream(LEAVES));
  const toNextText = async (): Promise<void> => {
    for (let next = await leaves.next(); !next.done; next = await leaves.next())
      if (check.leaf(next.value)) return;
  };
  const breakGlass = createHash('sha256');
  const rows = jsonRows();
  let verdict: LogVerdict | undefined;
  return {
    row: async (row) => {
      await toNextText();
      check.event(row);
      if (isBreakGlass(row)) breakGlass.update(rows.next(row));
    },
    end: async () => {
      await toNextText();
      verdict = check.end();
    },
    verdict: () => verdict,
    breakGlassSha256: () => breakGlass.update(rows.end()).digest('hex'),
  };
}

/** Whether an event row belongs to the table of break-glass events. */
export function isBreakGlass(row: Row): boolean {
  const { action } = row.event as { action?: unknown };
  return typeof action === 'string' && action.startsWith(BREAK_GLASS_PREFIX);
}
