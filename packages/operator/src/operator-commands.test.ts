import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createTemporaryDataDir } from '@claviger/installation';
import { commandProgram } from '@claviger/installation/host-settings';
import { afterAll, beforeAll, expect, test } from 'vitest';

const servicesDir = join(import.meta.dirname, '../../installation/fixtures');
let dataDir: string;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function claviger(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [commandProgram, ...args],
      { env: { ...process.env, CLAVIGER_DATA_DIR: dataDir, ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      },
    );
  });
}

const up = (env?: Record<string, string>) =>
  claviger(['up', '--detach', '--json', '--port', '0', '--services-dir', servicesDir], env);

interface Result {
  readonly url: string;
  readonly caCertificate: string;
  readonly dataDir: string;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
});
afterAll(async () => {
  await claviger(['down']);
  rmSync(dataDir, { recursive: true, force: true });
});

test('with nothing running, status says so with exit code 1, and down is content', async () => {
  expect(await claviger(['status'])).toMatchObject({ code: 1, stdout: '' });
  expect(await claviger(['down'])).toMatchObject({ code: 0, stdout: '' });
  const bootstrap = await claviger(['bootstrap-admin', '--username', 'alice']);
  expect(bootstrap).toMatchObject({ code: 1, stdout: '' });
  expect(bootstrap.stderr).toContain('claviger up');
  const unlock = await claviger(['unlock-admin', '--username', 'alice']);
  expect(unlock).toMatchObject({ code: 1, stdout: '' });
  expect(unlock.stderr).toContain('claviger up');
});

test('switching the limits off is refused in production', async () => {
  const refused = await up({ CLAVIGER_ENVIRONMENT: 'production', CLAVIGER_RATE_LIMITS: 'off' });
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('production');
});

test('an endpoint of traces that is none is refused by the name of its variable', async () => {
  const refused = await up({ CLAVIGER_OTLP_ENDPOINT: 'grpc://127.0.0.1:4317' });
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/CLAVIGER_OTLP_ENDPOINT.*4318/);
});

test('an environment that switches off the check of certificates is refused', async () => {
  const refused = await claviger(['status'], { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('unset it');
});

test('a mistake in the arguments is exit code 2', async () => {
  expect((await claviger(['up', '--no-such-option'])).code).toBe(2);
  expect((await claviger(['up', '--port', '70000'])).code).toBe(2);
  expect((await claviger(['up', '--open-target', '127.0.0.0/8:22'])).code).toBe(2);
  expect((await claviger(['status', '--help'])).code).toBe(0);
});

test('up prints one object; again changes nothing; a killed supervisor is recovered from; down ends all', async () => {
  const first = await up({
    CLAVIGER_RATE_LIMITS: 'off',
    // These variables must not reach the PostgreSQL of the installation.
    PGHOST: '127.0.0.1',
    PGPORT: '1',
    PGUSER: 'nobody',
    PGDATABASE: 'elsewhere',
    PGSSLMODE: 'verify-full',
    PGOPTIONS: '-c default_transaction_read_only=on',
  });
  expect(first.stderr).toContain('WARNING');
  expect(first.code, first.stderr).toBe(0);
  const result = JSON.parse(first.stdout) as Result;
  expect(Object.keys(result).sort()).toEqual(['caCertificate', 'dataDir', 'processes', 'setupUrl', 'url']);
  expect(readFileSync(result.caCertificate, 'utf8')).toContain('BEGIN CERTIFICATE');
  expect(result.processes).toHaveLength(8);

  const second = await up();
  expect(second.code).toBe(0);
  expect(second.stderr).toContain('already running');
  const again = JSON.parse(second.stdout) as Result;
  expect(again.url).toBe(result.url);
  expect(again.processes).toEqual(result.processes);

  // An address of this machine can be opened at run time, but not one of the installation's own servers.
  const opened = await claviger(['up', '--open-target', '127.0.0.1:1', '--open-target', '[::1]:2']);
  expect(opened.stderr).toContain('the targets are open');
  const openTargets = readFileSync(join(dataDir, 'open-targets'), 'utf8');
  expect(openTargets).toBe('127.0.0.1:1\n[::1]:2\n');
  const own = await claviger(['up', '--open-target', `127.0.0.1:${new URL(result.url).port}`]);
  expect(own).toMatchObject({ code: 1, stderr: expect.stringContaining('never opened') });
  expect(readFileSync(join(dataDir, 'open-targets'), 'utf8')).toBe(openTargets);

  // A process that takes seconds to answer is shown as not ready.
  let status: Outcome | undefined;
  await expect
    .poll(async () => {
      status = await claviger(['status', '--json']);
      return status.code;
    })
    .toBe(0);
  expect(JSON.parse(status!.stdout)).toMatchObject({ running: true, ready: true, url: result.url });
  expect((await claviger(['doctor'])).stdout).toContain('serves Claviger');

  const supervisor = (
    JSON.parse(readFileSync(join(dataDir, 'run/running.json'), 'utf8')) as { supervisor: { pid: number } }
  ).supervisor.pid;
  process.kill(supervisor, 'SIGKILL');
  await expect.poll(() => lives(supervisor)).toBe(false);
  const third = await up();
  expect(third.code, third.stderr).toBe(0);
  const recovered = JSON.parse(third.stdout) as Result;
  for (const { pid } of result.processes) expect(lives(pid)).toBe(false);

  expect((await claviger(['down'])).code).toBe(0);
  for (const { pid } of recovered.processes) expect(lives(pid)).toBe(false);
  expect((await claviger(['status'])).code).toBe(1);
  // Stops only a hanging test: a busy machine has needed two minutes.
}, 900_000);

test('an up that cannot write where it is stops what it started', async () => {
  const full = openSync('/dev/full', 'a');
  const args = [commandProgram, 'up', '--port', '0', '--services-dir', servicesDir];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, CLAVIGER_DATA_DIR: dataDir },
    stdio: ['ignore', full, 'pipe'],
  });
  closeSync(full);
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/\nclaviger: standard output cannot be written .*\nstopping \(SIGTERM\)\n$/),
  ]);
  expect((await claviger(['status'])).code).toBe(1);
});

test('a start that fails says why on standard error and prints nothing else', async () => {
  const failed = await claviger([
    'up',
    '--detach',
    '--json',
    '--port',
    '0',
    '--services-dir',
    '/nonexistent',
  ]);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('/nonexistent/auth/src/main.ts is missing');
  expect((await claviger(['status'])).code).toBe(1);
});
