import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const module = fileURLToPath(new URL('./owned-process.ts', import.meta.url));
const program = `
  const { startOwned } = await import(${JSON.stringify(module)});
  const { pid } = await startOwned('/bin/sleep', ['600']);
  console.log(pid);
  setInterval(() => {}, 1_000);
`;

const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test.runIf(process.platform === 'linux')(
  'a server goes with the process that started it, even when that is killed',
  async () => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = await once(owner.stdout, 'data');
    const pid = Number(String(chunk));
    expect(isRunning(pid)).toBe(true);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await expect.poll(() => isRunning(pid), { timeout: 50_000 }).toBe(false);
  },
);
