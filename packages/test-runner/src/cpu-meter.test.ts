import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { startCpuMeter } from './cpu-meter.ts';

/** A program that uses 0.4 s of CPU time and says so. */
const work = "while (process.cpuUsage().user + process.cpuUsage().system < 400_000); console.log('worked')";

test.runIf(process.platform === 'linux')('the meter counts a child that has ended', async () => {
  const meter = startCpuMeter();
  const child = spawn(process.execPath, ['-e', work], { stdio: 'ignore' });
  await once(child, 'exit');
  expect(meter.stop()).toBeGreaterThanOrEqual(0.38);
});

test.runIf(process.platform === 'linux')(
  'the meter counts what a descendant uses after its parent has ended',
  async () => {
    const meter = startCpuMeter();
    // The shell starts a process that waits for a line, and ends only when it is told to.
    const shell = spawn(
      'sh',
      [
        '-c',
        `"$0" -e "$1" <&3 & echo started; read end`,
        process.execPath,
        `process.stdin.once('data', () => { ${work}; process.stdin.once('data', () => process.exit()) })`,
      ],
      { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] },
    );
    const input = shell.stdio[3] as NodeJS.WritableStream;
    const lines = createInterface({ input: shell.stdout! });
    const next = async () => ((await once(lines, 'line')) as [string])[0];
    expect(await next()).toBe('started');
    meter.sample();
    const ended = once(shell, 'exit');
    shell.stdin!.end('end\n');
    await ended;
    const used = next();
    input.write('go\n');
    expect(await used).toBe('worked');
    expect(meter.stop()).toBeGreaterThanOrEqual(0.38);
    input.end('end\n');
  },
);
