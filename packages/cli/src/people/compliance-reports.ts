import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { createFile } from './new-file.ts';
import { listItems } from './paging.ts';
import { pollUntil } from './poll.ts';
import { withSession } from './session.ts';
import { type Column, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface ReportOptions extends ConnectionOptions {
  readonly from: string;
  readonly to: string;
  readonly section?: string[];
  readonly bom?: boolean;
  readonly out?: string;
}
export interface ReportListOptions extends ConnectionOptions, ListOptions {}
export interface DownloadOptions extends ConnectionOptions {
  readonly out: string;
}

const service = compliance.ComplianceService;
const POLL_MS = 1_000;
const WAIT_MS = 30 * 60_000;

const columns: readonly Column<compliance.Report>[] = [
  ['ID', (row) => row.id],
  ['RANGE', (row) => `${row.from} to ${row.to}`],
  ['STATE', (row) => (row.state === 'running' ? `running ${row.progressPercent} %` : row.state)],
  ['ASKED', (row) => timeText(row.createdAt)],
  ['BY', (row) => (row.scheduleId === undefined ? row.requestedByName : 'schedule')],
  ['BYTES', (row) => row.sizeBytes],
  ['NOTE', (row) => row.problem || row.note],
];

export function orderReport(options: ReportOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { from, to, section = [], bom = false, out } = options;
    const report = (await api.call(service.createReport, { from, to, sections: section, bom })).report!;
    if (out === undefined) {
      if (format === 'json') return showJson(report);
      return tell(`report ${report.id} is being made: claviger compliance list`);
    }
    tell(`report ${report.id} is being made`);
    await waitFor(api, report.id);
    await download(api, report.id, out);
    if (format === 'json') showJson((await api.call(service.getReport, { reportId: report.id })).report!);
  });
}

export function listReports(options: ReportListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) =>
    showList(await listItems(api, service.listReports, {}, options), columns, format),
  );
}

export function downloadReport(reportId: string, options: DownloadOptions): Promise<void> {
  return withSession(options, ({ api }) => download(api, reportId, options.out));
}

async function waitFor(api: ApiClient, reportId: string): Promise<void> {
  const { state, problem } = await pollUntil(
    async () => (await api.call(service.getReport, { reportId })).report!,
    (report) => report.state !== 'queued' && report.state !== 'running',
    { timeoutMs: WAIT_MS, everyMs: POLL_MS },
  );
  if (state === 'failed') throw new CommandError(`the report could not be made: ${problem}`, EXIT.error);
  if (state !== 'ready')
    throw new CommandError(`it is still being made: claviger compliance download ${reportId}`, EXIT.pending);
}

/** A file that did not come whole does not stay. */
async function download(api: ApiClient, reportId: string, out: string): Promise<void> {
  const file = await createFile(out);
  const bytes = api.stream(`/api/v1/compliance/reports/${encodeURIComponent(reportId)}/download`);
  await pipeline(bytes, file.createWriteStream({ flush: true })).catch(async (error: unknown) => {
    await rm(out, { force: true });
    throw error;
  });
  tell(`the package is in ${out}`);
  tell(`verify it anywhere: claviger compliance verify ${out} --keys KEYS`);
}
