import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestEdge } from '../test-support.ts';
import { configSchema } from './config.ts';

let edge: TestEdge;
beforeEach(async () => {
  edge = await TestEdge.start();
});
afterEach(() => edge?.stop());

describe('the gateway', () => {
  it('finishes running requests when it stops, and accepts no new ones', async () => {
    const { token } = await edge.signIn();
    const { id } = edge.addEntry();
    let release = (): void => {};
    edge.beforeAnswer = () => new Promise((resolve) => (release = resolve));
    const running = edge.call('GET', `/api/v1/vault/entries/${id}`, { token });
    await expect.poll(() => edge.calls.length, { timeout: 50_000 }).toBe(1);
    const stopped = edge.gateway[Symbol.asyncDispose]();
    await expect(edge.call('GET', '/system/health/ping')).rejects.toThrow(/ECONNREFUSED/);
    release();
    expect((await running).status).toBe(200);
    await stopped;
  });

  it('ends the waiting calls of agents when it stops, and the waiting call of an agent that disconnects', async () => {
    const { token, deviceId } = edge.enrol();
    const wait = `/api/v1/agents/${deviceId}/commands?waitSeconds=20`;
    const leaving = edge.raw(
      `GET ${wait} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      {
        until: () => edge.calls.length === 1,
      },
    );
    expect(await leaving).toBe('');
    await expect.poll(() => edge.waitsEnded, { timeout: 50_000 }).toBe(1);
    const staying = edge.call('GET', wait, { token });
    await expect.poll(() => edge.calls.length, { timeout: 50_000 }).toBe(2);
    await edge.gateway[Symbol.asyncDispose]();
    expect((await staying).json).toMatchObject({ status: 503, retryable: true });
  });

  it('counts sign-ins against their address, so that nobody can exhaust the limit of an account', async () => {
    const signIns = (address: (index: number) => string) =>
      Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          edge.call('POST', '/api/v1/auth/login', {
            body: { username: 'alice', password: 'x' },
            localAddress: address(index),
          }),
        ),
      );
    const apart = await signIns((index) => `127.0.0.${index + 2}`);
    expect(apart.map((answer) => answer.status)).toEqual(Array<number>(40).fill(401));
    const together = await signIns(() => '127.0.0.200');
    const of = (status: number) => together.filter((answer) => answer.status === status).length;
    // One request becomes available every six seconds, so a slow machine may allow a few more.
    expect(of(429)).toBeGreaterThan(0);
    expect(of(401)).toBeGreaterThanOrEqual(10);
    expect(of(401) + of(429)).toBe(40);
  });

  it('runs as a process from its configuration file, and ends cleanly on SIGTERM', async () => {
    const file = join(edge.folder, 'gateway.json');
    await writeFile(file, JSON.stringify({ ...edge.config, logLevel: 'info' }));
    const main = join(import.meta.dirname, 'main.ts');
    const child: ChildProcess = spawn(process.execPath, [main, '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
      const { msg, port } = JSON.parse(line) as { msg: string; port: number };
      expect(msg).toBe('the gateway listens');
      const ready = async () => (await edge.call('GET', '/system/health/ready', { port })).status;
      // The gateway is ready as soon as it has connected to all services behind it.
      await expect.poll(ready).toBe(200);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('its configuration', () => {
  it('refuses disabled limits in production, unknown keys, and plain-text secrets', async () => {
    const problems = (change: object) =>
      configSchema.safeParse({ ...edge.config, ...change }).error?.issues.map((issue) => issue.message);
    expect(problems({})).toBeUndefined();
    expect(problems({ rateLimits: 'off' })).toBeUndefined();
    expect(problems({ rateLimits: 'off', environment: 'production' })).toEqual([
      expect.stringContaining('"on"'),
    ]);
    expect(problems({ redisPassword: 'x' })).toHaveLength(1);
    expect(await readFile(edge.config.redis.passwordFile, 'utf8')).not.toBe('');
  });
});
