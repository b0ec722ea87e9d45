import type { ApiClient } from '@claviger/api-client';
import { pollUntil } from '@claviger/api-client/poll';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { saveStream } from '@claviger/terminal/new-file';
import { tell } from '@claviger/terminal/output';
import type { Running } from '../contract/noun.ts';

const POLL_MS = 1_000;
const WAIT_MS = 30 * 60_000;

interface Answer {
  readonly report: { readonly id: string; readonly state: string; readonly problem: string };
}

/** The command `compliance report`; with `--out`, waits until the package is ready and fetches it. */
export async function orderReport(
  { api, invoke, options, format }: Running,
  request: object,
): Promise<unknown> {
  const answer = await invoke<Answer>('CreateReport', request);
  const reportId = answer.report.id;
  if (options.out === undefined) {
    if (format !== 'table') return answer;
    return tell(`report ${reportId} is in progress: claviger compliance list`);
  }
  tell(`report ${reportId} is in progress`);
  const { report } = await pollUntil(
    () => invoke<Answer>('GetReport', { reportId }),
    ({ report: { state } }) => state !== 'queued' && state !== 'running',
    { timeoutMs: WAIT_MS, everyMs: POLL_MS },
  );
  if (report.state === 'failed')
    throw new CommandError(`the report could not be made: ${report.problem}`, EXIT.error);
  if (report.state !== 'ready')
    throw new CommandError(
      `the report is not complete yet: claviger compliance download ${reportId}`,
      EXIT.pending,
    );
  await download(api, reportId, String(options.out));
  return format === 'table' ? undefined : invoke('GetReport', { reportId });
}

/** The command `compliance download`. */
export async function download(api: ApiClient, reportId: string, out: string): Promise<void> {
  await saveStream(out, api.stream(`/api/v1/compliance/reports/${encodeURIComponent(reportId)}/download`));
  tell(`report written to ${out}`);
  tell(`verify it anywhere: claviger compliance verify ${out} --keys KEYS`);
}
