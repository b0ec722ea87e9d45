import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { ensureTools } from '@claviger/parts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { tell } from '../output.ts';
import { repositoryRoot } from './settings.ts';

/** Runs one step with its output visible. Answers whether it passed. */
function run(command: string, args: readonly string[]): Promise<boolean> {
  const bin = join(repositoryRoot, 'node_modules/.bin');
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  // Tests make their own installations: what stands in the environment for the operator's does not concern them.
  for (const name of Object.keys(env)) if (name.startsWith('CLAVIGER_')) delete env[name];
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { cwd: repositoryRoot, env, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
    child.once('error', (error) => {
      tell(`${command}: ${error.message}`);
      resolve(false);
    });
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** The command `test --extended`: tests that take tools from package registries, one file after the other. */
export async function runExtendedTests(vitestArgs: readonly string[]): Promise<ExitCode> {
  await ensureTools(['postgres', 'redis', 'nats'], tell);
  const args = ['run', '--project', 'extended', '--no-file-parallelism', ...vitestArgs];
  return (await run('vitest', args)) ? EXIT.ok : EXIT.error;
}

/** The command `test`. The quick checks come first, the tests last, so that their summary closes the output. */
export async function runTests(vitestArgs: readonly string[]): Promise<ExitCode> {
  // The tests log in to hosts with these on Linux only.
  const shells = process.platform === 'linux' ? (['shells'] as const) : [];
  await ensureTools(
    [
      'postgres',
      'redis',
      'nats',
      'sshd',
      'openssl',
      'rsyslog',
      'mariadb',
      'pgbouncer',
      'slapd',
      'softhsm',
      ...shells,
    ],
    tell,
  );
  const checks: readonly (readonly [string, string, readonly string[]])[] = [
    ['lint and format', 'biome', ['check', '.']],
    ['types', 'tsc', ['--noEmit']],
    ['generated code', process.execPath, ['packages/contracts/generate.ts', '--check']],
  ];
  const failed: string[] = [];
  for (const [title, command, args] of checks) {
    tell(`== ${title}`);
    if (!(await run(command, args))) failed.push(title);
  }
  // Said before the tests run, because their closing lines stay last.
  if (failed.length > 0) tell(`== FAILED: ${failed.join(', ')}; running the tests all the same`);
  tell('== tests');
  const passed = await run('vitest', ['run', '--project', '!extended', ...vitestArgs]);
  if (passed && failed.length > 0) tell(`FAILED before the tests: ${failed.join(', ')}`);
  return passed && failed.length === 0 ? EXIT.ok : EXIT.error;
}
