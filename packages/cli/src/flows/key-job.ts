import { pollUntil } from '@claviger/api-client/poll';
import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { tableText } from '../contract/cells.ts';
import type { Noun, Running } from '../contract/noun.ts';
import { printForPrograms } from '../contract/print-answer.ts';

const WAIT_MS = 24 * 60 * 60 * 1_000;

/** The commands `keys rotate` and `keys repair`. With --wait, exit code 0 only if all DEKs decrypt. */
export async function startKeyJob(
  operation: string,
  { invoke, options, format }: Running,
  request: object,
  columns: NonNullable<Noun['views']>[string]['columns'] = [],
): Promise<ExitCode> {
  const asked = (await invoke<{ job: encryption.KeyJob }>(operation, request)).job;
  let told = -1;
  const read = async () => {
    const { job } = await invoke<{ job: encryption.KeyJob }>('GetKeyJob', { jobId: asked.id });
    if (job.progressPercent !== told) tell(`${job.state}: ${job.processed} of ${job.total}`);
    told = job.progressPercent;
    return job;
  };
  const isOver = ({ state }: encryption.KeyJob) => state === 'done' || state === 'failed';
  const job = options.wait ? await pollUntil(read, isOver, { timeoutMs: WAIT_MS, everyMs: 1_000 }) : asked;
  if (!(await printForPrograms(format, job))) say(tableText(columns, [job]));
  if (job.unrecoverable > 0)
    tell(`\`claviger keys findings ${job.id}\` lists the keys that cannot be decrypted`);
  if (!options.wait) return EXIT.ok;
  return job.state === 'done' && job.unrecoverable === 0 ? EXIT.ok : EXIT.error;
}
