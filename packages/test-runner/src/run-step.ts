import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { tell } from '@claviger/terminal/output';

/**
 * Runs a program in `folder` with its output visible; programs of the folder's own packages are found by
 * name. Answers whether it passed.
 */
export function runStep(folder: string, command: string, args: readonly string[]): Promise<boolean> {
  const bin = join(folder, 'node_modules/.bin');
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  // Tests make their own installations: what stands in the environment for the operator's does not concern
  // them.
  for (const name of Object.keys(env)) if (name.startsWith('CLAVIGER_')) delete env[name];
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { cwd: folder, env, stdio: 'inherit' });
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const forward = (signal: NodeJS.Signals) => void child.kill(signal);
    for (const signal of signals) process.on(signal, forward);
    const end = (passed: boolean) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(passed);
    };
    child.once('error', (error) => {
      tell(`${command}: ${error.message}`);
      end(false);
    });
    child.once('exit', (code) => end(code === 0));
  });
}

/** One check that comes before the tests: its title, its program and arguments. */
export type Check = readonly [title: string, command: string, args: readonly string[]];

export const quickChecks: readonly Check[] = [
  ['format and lint', 'biome', ['check', '.']],
  ['types', 'tsc', ['--noEmit']],
  ['generated code', process.execPath, ['packages/contracts/generate.ts', '--check']],
];

/** Runs all checks, also after one has failed. Answers the titles of those that failed. */
export async function runChecks(folder: string, checks: readonly Check[]): Promise<string[]> {
  const failed: string[] = [];
  for (const [title, command, args] of checks) {
    tell(`== ${title}`);
    if (!(await runStep(folder, command, args))) failed.push(title);
  }
  return failed;
}
