import type { Command } from 'commander';
import { nounCommand, peopleCommand, withConnectionOptions, withPaging } from '../people/command-options.ts';
import type { KeyJobOptions, KeyJobsOptions } from '../people/keys.ts';

const work = () => import('../people/keys.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'keys', 'the keys that protect the secrets of your tenant');
  withConnectionOptions(
    peopleCommand(noun, 'status', 'show the key hierarchy and what to do', 'claviger keys status'),
  ).action(async (options) => (await work()).keyStatus(options));
  for (const [name, purpose] of [
    ['rotate', 'exchange the key encryption key'],
    ['repair', 'look whether every content key opens, and put right what can be'],
  ] as const) {
    const command = peopleCommand(noun, name, purpose, `claviger keys ${name} --reason "quarterly" --wait`)
      .requiredOption('--reason <text>', 'why, for the audit log')
      .option('--wait', 'show the progress until it is done');
    withConnectionOptions(command).action(async (options: KeyJobOptions) => {
      process.exitCode = await (await work()).startKeyJob(name, options);
    });
  }
  const jobs = peopleCommand(noun, 'jobs', 'list exchanges and repairs', 'claviger keys jobs');
  withConnectionOptions(withPaging(jobs)).action(async (options: KeyJobsOptions) =>
    (await work()).listKeyJobs(options),
  );
  const findings = peopleCommand(
    noun,
    'findings <job>',
    'list the versions of secrets that a job found wrong',
    'claviger keys findings 6f1c2a90-3a54-4b0e-8f6e-0f2f5a3d9c11',
  );
  withConnectionOptions(withPaging(findings)).action(async (job: string, options: KeyJobsOptions) =>
    (await work()).listKeyFindings(job, options),
  );
}
