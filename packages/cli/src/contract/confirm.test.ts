import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RecordedServer, SAMPLE_ID, startRecordedServer } from '../../recorded/server.ts';

const main = join(import.meta.dirname, '../main.ts');
let folder: string;
let server: RecordedServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-confirm-'));
  server = await startRecordedServer(folder);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command at a terminal of its own, and types the answer once it is asked for. */
async function atTerminal(args: readonly string[], answer: string): Promise<{ code: number; said: string }> {
  server.requests.length = 0;
  const command = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      CLAVIGER_ADDR: server.url,
      CLAVIGER_CA: server.caFile,
      CLAVIGER_TOKEN: 'token',
    },
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!said.includes('[y/N]') && (said + text).includes('[y/N]')) child.stdin.write(`${answer}\n`);
    said += text;
  });
  const code = await new Promise<number>((resolve) => child.once('close', resolve));
  return { code, said };
}

test('at a terminal, what removes something is asked first', async () => {
  const remove = ['sites', 'delete', SAMPLE_ID];
  const refused = await atTerminal(remove, 'n');
  expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('nothing was changed') });
  expect(refused.said).toContain(`delete ${SAMPLE_ID}? [y/N]`);
  expect(server.requests).toEqual([]);
  expect((await atTerminal(remove, 'y')).code).toBe(0);
  expect(server.requests).toEqual([`DELETE /api/v1/sites/${SAMPLE_ID}`]);
  expect((await atTerminal([...remove, '--yes'], '')).said).not.toContain('[y/N]');
  expect(server.requests).toEqual([`DELETE /api/v1/sites/${SAMPLE_ID}`]);
});

test('an answer that holds secrets is not asked for unless it may be shown', async () => {
  const recover = ['entries', 'recover-candidates', SAMPLE_ID, '--reason', 'why'];
  const refused = await atTerminal(recover, '');
  expect(refused).toMatchObject({ code: 2, said: expect.stringContaining('--show') });
  expect(server.requests).toEqual([]);
  expect((await atTerminal([...recover, '--show'], '')).code).toBe(0);
  expect(server.requests).toHaveLength(1);
});
