import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  HOSTILE_ACCOUNT,
  type HostileAddress,
  type HttpTarget,
  startAllHostileTargets,
  startHostileTarget,
  startHttpTarget,
} from '@claviger/targets';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConnectorError } from '../connector-error.ts';
import { loopbackContext } from '../testing-context.ts';
import { ConnectorsBusyError, createConnectorPool } from './connector-pool.ts';

let hostile: Awaited<ReturnType<typeof startAllHostileTargets>>;
let http: HttpTarget;
beforeAll(async () => {
  [hostile, http] = await Promise.all([startAllHostileTargets(), startHttpTarget()]);
});
afterAll(async () => {
  await hostile?.[Symbol.asyncDispose]();
  await http?.stop();
});

const { username, password } = HOSTILE_ACCOUNT;
const account = { username };
const next = 'Next-Horse-8';

function hostileTarget(type: string, behaviour: string): HostileAddress {
  const found = hostile.targets.find((each) => each.type === type && each.behaviour === behaviour);
  if (!found) throw new Error(`There is no ${type} target that ${behaviour}.`);
  return found;
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);
const onlyBusy = async (pool: ReturnType<typeof createConnectorPool>): Promise<number> => {
  await expect.poll(() => pool.state().busy).toHaveLength(1);
  return pool.state().busy[0] ?? 0;
};

/**
 * Measures the longest CPU time of this thread between two ticks of a timer. The CPU time of other processes
 * does not count.
 */
function watchEventLoop(): { longestMs(): number } & Disposable {
  let longestMs = 0;
  let before = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1_000);
    before = process.threadCpuUsage();
  }, 1);
  return { longestMs: () => longestMs, [Symbol.dispose]: () => clearInterval(timer) };
}

test('no hostile target blocks the event loop', async () => {
  // More workers than targets at a time: a worker that is killed counts until its process has ended.
  await using pool = createConnectorPool({ maxWorkers: 12 });
  const ctx = loopbackContext({ connectTimeoutMs: 1_000, operationTimeoutMs: 1_000 });
  const play = async ({ type, settings }: HostileAddress, at: number, tenantId: string) => {
    const connector = pool.connector(type, tenantId);
    const operations = [
      () => connector.discover(settings, { username, password }, ctx),
      () => connector.verify(settings, account, password, ctx),
      () => connector.rotate(settings, account, { current: password, next }, ctx),
    ];
    await operations[at % 3]?.().catch((error: unknown) => expect(error).toBeInstanceOf(ConnectorError));
  };
  // Three targets at a time in each tenant.
  const left = [...hostile.targets.entries()];
  const playAll = async (tenantId: string) => {
    for (let each = left.shift(); each; each = left.shift()) await play(each[1], each[0], tenantId);
  };
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  using loop = watchEventLoop();
  await Promise.all(['a', 'a', 'a', 'b', 'b', 'b'].map(playAll));
  delay.disable();
  process.stdout.write(
    `event loop under ${hostile.targets.length} hostile targets: longest pause ${(delay.max / 1e6).toFixed(0)} ms, ` +
      `of it at most ${loop.longestMs().toFixed(0)} ms its own computing\n`,
  );
  // The aim is 100 ms. A pause also includes the CPU time of other processes.
  expect(loop.longestMs()).toBeLessThan(200);
  expect(delay.max / 1e6).toBeLessThan(5_000);
});

describe('a worker that exceeds a limit is killed, and its operation reports the outcome', () => {
  test('CPU time', async () => {
    await using pool = createConnectorPool({ cpuMs: 1 });
    const { settings } = hostileTarget('ldap', 'answers with accounts in thousands of groups');
    const discovering = pool
      .connector('ldap', 'a')
      .discover(settings, { username, password }, loopbackContext());
    await expect(discovering).rejects.toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('CPU time'),
    });
  });

  test('memory', async () => {
    await using pool = createConnectorPool({ memoryBytes: 1 });
    const { settings } = hostileTarget('mysql', 'never answers a statement');
    expect(
      await pool.connector('mysql', 'a').test(settings, { username, password }, loopbackContext()),
    ).toMatchObject({
      ok: false,
      problem: expect.stringContaining('memory'),
    });
  });

  test('time, with a paused worker', async () => {
    await using pool = createConnectorPool({ graceMs: 50 });
    await using target = await startHostileTarget('postgres', 'says nothing');
    const ctx = loopbackContext({ operationTimeoutMs: 3_000 });
    const verifying = pool.connector('postgres', 'a').verify(target.settings, account, password, ctx);
    const pid = await onlyBusy(pool);
    await expect.poll(target.connections).toBe(1);
    process.kill(pid, 'SIGSTOP');
    expect(await verifying).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringContaining('did not stop'),
    });
    await expect.poll(() => pool.state().busy).toEqual([]);
    expect(isAlive(pid)).toBe(false);
    expect(pool.state()).toEqual({ busy: [], idle: [], queued: 0 });
  });

  test('a cancelled operation ends at once', async () => {
    await using pool = createConnectorPool();
    const { settings } = hostileTarget('ssh', 'says nothing');
    const caller = new AbortController();
    const ctx = loopbackContext({ signal: caller.signal });
    const verifying = pool.connector('ssh', 'a').verify(settings, account, password, ctx);
    const pid = await onlyBusy(pool);
    caller.abort();
    expect(await verifying).toEqual({
      outcome: 'unknown',
      kind: 'unreachable',
      reason: 'The operation was cancelled.',
    });
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

describe('a rotation whose worker is lost', () => {
  const rotate = (pool: ReturnType<typeof createConnectorPool>, behaviour: string, mayChange: () => number) =>
    pool
      .connector('mysql', 'a')
      .rotate(
        hostileTarget('mysql', behaviour).settings,
        account,
        { current: password, next },
        loopbackContext({ mayChange }),
      );

  test('before it may change the target: refused, because the target has certainly kept its password', async () => {
    await using pool = createConnectorPool();
    const rotating = rotate(pool, 'says nothing', () => 60_000);
    process.kill(await onlyBusy(pool), 'SIGKILL');
    expect(await rotating).toMatchObject({ outcome: 'refused', kind: 'unreachable' });
  });

  test('after it got permission to change: ambiguous', async () => {
    await using pool = createConnectorPool();
    const allowed = Promise.withResolvers<void>();
    const rotating = rotate(pool, 'never answers a statement', () => {
      allowed.resolve();
      return 60_000;
    });
    await allowed.promise;
    // The permission is being sent: from now on the change counts as sent.
    await new Promise(setImmediate);
    process.kill(await onlyBusy(pool), 'SIGKILL');
    expect(await rotating).toMatchObject({ outcome: 'ambiguous' });
  });

  test('a worker that was paused longer than its lease changes nothing', async () => {
    await using pool = createConnectorPool();
    const rotating = rotate(pool, 'never answers a statement', () => {
      const [pid] = pool.state().busy;
      process.kill(pid ?? 0, 'SIGSTOP');
      setTimeout(() => process.kill(pid ?? 0, 'SIGCONT'), 300);
      return 100;
    });
    expect(await rotating).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('was paused for too long'),
    });
  });

  test('a worker that may not change the target any more changes nothing', async () => {
    await using pool = createConnectorPool();
    expect(await rotate(pool, 'never answers a statement', () => 0)).toMatchObject({
      outcome: 'refused',
      kind: 'unreachable',
    });
  });
});

const api = () => ({
  host: http.host,
  port: http.port,
  tls: { mode: 'pinned', certificate: http.certificate },
  verify: {
    method: 'GET',
    path: '/api/me',
    basicAuth: { username: '{username}', password: '{password}' },
    accepted: { status: [200], pointer: '/user', equals: '{username}' },
  },
  rotate: {
    method: 'POST',
    path: '/api/users/{username}/password',
    basicAuth: { username: '{username}', password: '{password}' },
    body: { type: 'json', value: { password: '{newPassword}' } },
    accepted: { status: [200], pointer: '/changed', equals: true },
  },
});

test('workers start on demand; at most two idle workers are kept, and only for a short time', async () => {
  http.createAccount('idle', password);
  await using pool = createConnectorPool({ idleMs: 1_500 });
  expect(pool.state()).toEqual({ busy: [], idle: [], queued: 0 });
  const verify = (tenantId: string) =>
    pool.connector('http', tenantId).verify(api(), { username: 'idle' }, password, loopbackContext());
  const answers = await Promise.all(['a', 'a', 'b', 'c'].map(verify));
  expect(answers).toEqual(Array(4).fill({ outcome: 'accepted' }));
  await expect.poll(() => pool.state().busy).toHaveLength(0);
  const { idle } = pool.state();
  expect(idle.length).toBeLessThanOrEqual(2);
  await expect.poll(() => pool.state().idle.length + idle.filter(isAlive).length).toBe(0);
});

test('an idle worker is used again by its tenant, and never by another', async () => {
  http.createAccount('again', password);
  await using pool = createConnectorPool({ idleMs: 60_000 });
  const verify = async (tenantId: string) => {
    await pool.connector('http', tenantId).verify(api(), { username: 'again' }, password, loopbackContext());
    return pool.state().idle;
  };
  const [first] = await verify('a');
  expect(await verify('a')).toEqual([first]);
  const both = await verify('b');
  expect(both).toHaveLength(2);
  expect(both[0]).toBe(first);
});

test('a tenant with stalled targets delays no other, and gets an error at its limit', async () => {
  http.createAccount('other', password);
  await using pool = createConnectorPool({ maxWorkers: 2, maxQueuedPerTenant: 3 });
  const { settings } = hostileTarget('ldap', 'says nothing');
  const caller = new AbortController();
  const ctx = loopbackContext({ signal: caller.signal });
  const stalled = pool.connector('ldap', 'stalling');
  const calls = Array.from({ length: 4 }, () => stalled.verify(settings, account, password, ctx));
  await expect.poll(() => pool.state().queued).toBe(3);
  await expect(stalled.verify(settings, account, password, ctx)).rejects.toBeInstanceOf(ConnectorsBusyError);
  expect(await stalled.rotate(settings, account, { current: password, next }, ctx)).toMatchObject({
    outcome: 'refused',
    kind: 'unreachable',
  });
  expect(
    await pool.connector('http', 'b').verify(api(), { username: 'other' }, password, loopbackContext()),
  ).toEqual({ outcome: 'accepted' });
  caller.abort();
  expect((await Promise.all(calls)).map(({ outcome }) => outcome)).toEqual(Array(4).fill('unknown'));
});

test('an operation that waits too long for a worker fails as busy', async () => {
  await using pool = createConnectorPool({ maxWorkers: 2 });
  const { settings } = hostileTarget('ldap', 'says nothing');
  const connector = pool.connector('ldap', 'a');
  const first = connector.verify(settings, account, password, loopbackContext());
  await onlyBusy(pool);
  const quick = loopbackContext({ operationTimeoutMs: 100 });
  await expect(connector.verify(settings, account, password, quick)).rejects.toBeInstanceOf(
    ConnectorsBusyError,
  );
  await pool[Symbol.asyncDispose]();
  expect(await first).toMatchObject({ outcome: 'unknown' });
});

test('no secret is in the arguments or the environment of a worker, and it may read no file but its source', async () => {
  await using pool = createConnectorPool();
  const { settings } = hostileTarget('ldap', 'says nothing');
  const caller = new AbortController();
  const ctx = loopbackContext({ signal: caller.signal });
  const verifying = pool.connector('ldap', 'a').verify(settings, account, password, ctx);
  const pid = await onlyBusy(pool);
  const commandLine = () => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  await expect.poll(commandLine).toMatch(/^[^\0]*node\0/);
  const allowed = [...commandLine().matchAll(/--allow-([a-z-]+)(?:=([^\0]+))?/g)].map(([, what, where]) => [
    what,
    where?.replace(/^.*\/(?=packages|node_modules)/, ''),
  ]);
  expect(commandLine()).toContain('--permission');
  const manifest = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@claviger/'));
  expect(allowed).toEqual([
    ['fs-read', 'packages/connectors/*'],
    ...own.map((name) => ['fs-read', `packages/${name.slice('@claviger/'.length)}/*`]),
    ['fs-read', 'node_modules/*'],
    ['net', undefined],
  ]);
  expect(commandLine()).not.toContain(password);
  // The service has the higher priority.
  expect(getPriority(pid)).toBeGreaterThan(getPriority());
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(
    /(?:^|\0)(?!PWD=|_=|SHLVL=|OLDPWD=|$)[A-Za-z]/,
  );
  caller.abort();
  await verifying;
});

test('workers end with the process that started them', async () => {
  const { settings } = hostileTarget('ldap', 'says nothing');
  const job = { settings, allow: loopbackContext().allow };
  const source = `
    const { createConnectorPool } = await import(${JSON.stringify(join(import.meta.dirname, 'connector-pool.ts'))});
    const { settings, allow } = ${JSON.stringify(job)};
    const pool = createConnectorPool();
    const ctx = { signal: new AbortController().signal, connectTimeoutMs: 60000, operationTimeoutMs: 60000, allow };
    void pool.connector('ldap', 'a').verify(settings, { username: 'app' }, 'x', ctx);
    console.log(pool.state().busy[0]);`;
  const starter = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(starter.stdout.setEncoding('utf8'), 'data')) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  starter.kill('SIGKILL');
  await expect.poll(() => isAlive(pid)).toBe(false);
});
