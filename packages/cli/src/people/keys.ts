import * as encryption from '@claviger/contracts/vault/v1/encryption';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { listItems } from './paging.ts';
import { pollUntil } from './poll.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, showJson, tableText, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface KeyJobsOptions extends ConnectionOptions, ListOptions {}
export interface KeyJobOptions extends ConnectionOptions {
  readonly reason: string;
  readonly wait?: boolean;
}

const service = encryption.EncryptionService;
const WAIT_MS = 24 * 60 * 60 * 1_000;

const keyColumns: readonly Column<encryption.KeyEncryptionKey>[] = [
  ['VERSION', (row) => row.version],
  ['STATE', (row) => row.state],
  ['AGE', (row) => `${row.ageDays} d`],
  ['WRAPS', (row) => row.wraps],
  ['CONTENT KEYS', (row) => row.contentKeys],
  ['ROTATED BEFORE', (row) => timeText(row.rotateBefore)],
  ['ID', (row) => row.id],
];

const jobColumns: readonly Column<encryption.KeyJob>[] = [
  ['ID', (row) => row.id],
  ['KIND', (row) => row.kind],
  ['STATE', (row) => row.state],
  ['PROGRESS', (row) => `${row.progressPercent} %`],
  ['REWRAPPED', (row) => row.rewrapped],
  ['UNRECOVERABLE', (row) => row.unrecoverable],
  ['ASKED', (row) => timeText(row.createdAt)],
  ['BY', (row) => row.requestedByName],
  ['PROBLEM', (row) => row.problem],
];

const findingColumns: readonly Column<encryption.KeyFinding>[] = [
  ['ENTRY', (row) => row.entryName],
  ['VERSION', (row) => row.version],
  ['OUTCOME', (row) => row.outcome],
  ['PROBLEM', (row) => row.problem],
  ['ENTRY ID', (row) => row.entryId],
];

export function keyStatus(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const status = await api.call(service.getEncryptionStatus, {});
    if (format === 'json') return showJson(status);
    say(
      fieldsText([
        ['root key', `${status.rootKey?.state} ${status.rootKey?.provider} ${status.rootKey?.keyId}`],
        ['content keys', status.contentKeys],
        ['unrecoverable', status.unrecoverable],
      ]),
    );
    say(tableText(keyColumns, status.keys));
    for (const advice of status.advice) tell(advice);
  });
}

/** With --wait, exit code 0 only when the job is done and every content key opens. */
export function startKeyJob(name: 'rotate' | 'repair', options: KeyJobOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const method = name === 'rotate' ? service.rotateKek : service.repairKeys;
    const asked = (await api.call(method, { reason: options.reason })).job!;
    let told = -1;
    const read = async () => {
      const job = (await api.call(service.getKeyJob, { jobId: asked.id })).job!;
      if (job.progressPercent !== told) tell(`${job.state}: ${job.processed} of ${job.total}`);
      told = job.progressPercent;
      return job;
    };
    const over = ({ state }: encryption.KeyJob) => state === 'done' || state === 'failed';
    const job = options.wait ? await pollUntil(read, over, { timeoutMs: WAIT_MS, everyMs: 1_000 }) : asked;
    if (format === 'json') showJson(job);
    else say(tableText(jobColumns, [job]));
    if (job.unrecoverable > 0) tell(`\`claviger keys findings ${job.id}\` names what cannot be opened`);
    if (!options.wait) return EXIT.ok;
    return job.state === 'done' && job.unrecoverable === 0 ? EXIT.ok : EXIT.error;
  });
}

export function listKeyJobs(options: KeyJobsOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    showList(await listItems(api, service.listKeyJobs, {}, options), jobColumns, format);
  });
}

export function listKeyFindings(jobId: string, options: KeyJobsOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    showList(await listItems(api, service.listKeyFindings, { jobId }, options), findingColumns, format);
  });
}
