import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const module = fileURLToPath(new URL('./owned-process.ts', import.meta.url));
const program = `
  const { startOwned } = await import(${JSON.stringify(module)});
  const { pid } = await startOwned('/bin/sleep', ['600']);
  console.log(pid);
  setInterval(() => {}, 1_000);
`;

/** The program with this process id; undefined if it has ended, even if it is a zombie. */
function programOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, name, state] = /^\d+ \((.*)\) (\S)/s.exec(stat) ?? [];
    return state === 'Z' || state === 'X' ? undefined : name;
  } catch {
    return undefined;
  }
}

test.runIf(process.platform === 'linux')(
  'a server goes with the process that started it, even when that is killed',
  async () => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = await once(owner.stdout, 'data');
    const pid = Number(String(chunk));
    // Until it runs that program, its owner is not yet set.
    await expect.poll(() => programOf(pid)).toBe('sleep');
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await expect.poll(() => programOf(pid)).not.toBe('sleep');
  },
);
