import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Section } from '@claviger/compliance-package';
import { sql } from 'kysely';
import { type AuditBench, eventually, silent, startBench } from '../../test-support.ts';
import { claimReport } from './building/claim-next.ts';
import { runReport } from './building/run-report.ts';
import type { ComplianceDeps } from './deps.ts';

/** An audit service with reports that only the test makes. */
export interface ReportsBench extends AsyncDisposable {
  readonly audit: AuditBench;
  readonly deps: ComplianceDeps;
  /** Today (UTC), and the days on which events of the test can occur if midnight passes. */
  readonly day: string;
  readonly days: { readonly from: string; readonly to: string };
  /** Orders a report without a job; the sweep does not find it. Returns its id. */
  order(tenantId: string, range?: ReportsBench['days'], bom?: boolean): Promise<string>;
  makeDue(tenantId: string, id: string): Promise<void>;
  /** Makes an ordered report with these dependencies; returns its row and the chunks of its package. */
  made(tenantId: string, id: string, by?: ComplianceDeps): Promise<MadeReport>;
  stateOf(tenantId: string, id: string): Promise<string>;
  /** Writes a package to a file; returns its path. */
  fileOf(chunks: MadeReport['chunks']): Promise<string>;
}

export interface MadeReport {
  readonly report: { state: string; problem: string | null; sha256: unknown; size_bytes: unknown };
  readonly chunks: readonly { readonly number: number; readonly bytes: Buffer }[];
}

const DAY_MS = 86_400_000;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

export async function startReports(): Promise<ReportsBench> {
  const audit = await startBench();
  const folder = await mkdtemp(join(tmpdir(), 'compliance-test-'));
  const day = dayOf(Date.now());
  const days = { from: day, to: dayOf(Date.now() + DAY_MS) };
  const deps: ComplianceDeps = {
    database: audit.database,
    emitter: audit.emitter,
    logger: silent,
    keys: audit.keys,
    headsFile: { newest: () => undefined, problem: () => undefined },
    // These reports hold only audit's own data; test/e2e covers the other services.
    evidence: {} as ComplianceDeps['evidence'],
    config: { maxPackageMiB: 512, retentionDays: 365, concurrency: 1 },
    node: 'test',
    version: '0.1.0',
  };
  async function order(tenantId: string, range = days, bom = false): Promise<string> {
    const id = randomUUID();
    await audit.database.withTenant(tenantId, (tx) =>
      tx
        .insertInto('compliance_reports')
        .values({
          tenant_id: tenantId,
          id,
          from_day: range.from,
          to_day: range.to,
          sections: ['events', 'break-glass'] satisfies Section[],
          requested_by: 'ann',
          requested_by_name: 'ann',
          bom,
          schedule_id: null,
          // Not due: the sweep of the running service ignores it until `makeDue`.
          next_attempt_at: sql<Date>`NULL` as never,
        })
        .execute(),
    );
    return id;
  }

  async function makeDue(tenantId: string, id: string): Promise<void> {
    await audit.database.withTenant(tenantId, (tx) =>
      tx
        .updateTable('compliance_reports')
        .set({ next_attempt_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('state', '=', 'queued')
        .execute(),
    );
  }

  async function made(tenantId: string, id: string, by: ComplianceDeps = deps) {
    await makeDue(tenantId, id);
    const claimed = await claimReport(by, tenantId);
    if (claimed) await runReport(by, claimed, new AbortController().signal);
    await eventually(async () => {
      const { state } = await audit.database.readTenant(tenantId, (reader) =>
        reader
          .selectFrom('compliance_reports')
          .select('state')
          .where('id', '=', id)
          .executeTakeFirstOrThrow(),
      );
      return state === 'ready' || state === 'failed';
    });
    return audit.database.readTenant(tenantId, async (reader) => ({
      report: await reader
        .selectFrom('compliance_reports')
        .select(['state', 'problem', 'sha256', 'size_bytes'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow(),
      chunks: await reader
        .selectFrom('compliance_package_chunks')
        .select(['number', 'bytes'])
        .where('report_id', '=', id)
        .orderBy('number')
        .execute(),
    }));
  }

  async function fileOf(chunks: readonly { bytes: Buffer }[]): Promise<string> {
    const file = join(folder, `${randomUUID()}.zip`);
    await writeFile(file, Buffer.concat(chunks.map(({ bytes }) => bytes)));
    return file;
  }

  async function stateOf(tenantId: string, id: string): Promise<string> {
    const { state } = await audit.database.readTenant(tenantId, (reader) =>
      reader.selectFrom('compliance_reports').select('state').where('id', '=', id).executeTakeFirstOrThrow(),
    );
    return state;
  }

  return {
    audit,
    deps,
    day,
    days,
    order,
    makeDue,
    made,
    stateOf,
    fileOf,
    [Symbol.asyncDispose]: async () => {
      await audit[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
