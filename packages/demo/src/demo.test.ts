import { spawn } from 'node:child_process';
import { CliProblem } from '@claviger/api-client/cli-problem';
import { commandProgram } from '@claviger/installation/host-settings';
import { expect, test } from 'vitest';
import { check, DemoFailure, type Narrator } from './narrator.ts';
import { mustBeRefused } from './person.ts';

const silent: Narrator = { chapter() {}, does() {}, shows() {}, note() {} };

test('a fact that does not hold ends the demo', () => {
  expect(() => check(silent, 'the old password is refused', false)).toThrow(DemoFailure);
});

test('a refusal must come, and must be the one that is meant', async () => {
  const refusal = (status: number, code: string) =>
    Promise.reject(new CliProblem({ status, code, title: 'T', detail: 'D', errors: [] }));
  const meant = { status: 403, code: 'self_approval' };
  await mustBeRefused(silent, 'x', meant, refusal(403, 'self_approval'));
  await expect(mustBeRefused(silent, 'x', meant, Promise.resolve('done'))).rejects.toThrow(DemoFailure);
  await expect(mustBeRefused(silent, 'x', meant, refusal(403, 'denied'))).rejects.toThrow(DemoFailure);
  await expect(mustBeRefused(silent, 'x', meant, refusal(404, 'not_found'))).rejects.toThrow(DemoFailure);
  await expect(mustBeRefused(silent, 'x', meant, Promise.reject(new Error('away')))).rejects.toThrow('away');
});

test('the demo plays to its end', async () => {
  const isRoot = process.getuid?.() === 0;
  const args = [commandProgram, 'demo', ...(isRoot ? [] : ['--without-ssh'])];
  const child = spawn(process.execPath, args, { env: { ...process.env, NO_COLOR: '1' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(code, output).toBe(0);
  expect(output).toContain('Every step had the promised result');
  expect(output).toContain('the device ran each program once');
  expect(output).toContain('neither is in force any more');
  expect(output.match(/the old password is refused/g)).toHaveLength(isRoot ? 2 : 1);
  // Stops only a hanging test: a busy machine has needed three minutes.
}, 900_000);
