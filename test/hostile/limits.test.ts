import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import {
  eventually,
  type RestAnswer,
  type StartedNetwork,
  startNetwork,
  type TestTenant,
  type TestUser,
} from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrolDevice, promptOf, reportPrompt } from '../support/elevation.ts';

/** A separate installation with limits, which the shared one lacks. */
let started: StartedNetwork;
let tenant: TestTenant;
let owner: TestUser;
let urls: readonly string[];

beforeAll(async () => {
  started = await startNetwork({ rateLimits: 'on', replicas: { gateway: 2 } });
  urls = started.installation.urls;
  tenant = await started.network.createTenant();
  // Before the floods below, because sign-ins are counted too.
  owner = await tenant.createUser(['administrator']);
});
afterAll(async () => started?.[Symbol.asyncDispose]());

/** Sends many requests at once through both gateways. */
const flood = (count: number, send: (url: string) => Promise<RestAnswer>): Promise<RestAnswer[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => send(urls[index % 2]!)));
const refused = (answers: readonly RestAnswer[]): RestAnswer[] =>
  answers.filter(({ status }) => status === 429);

test('H-192 a device that reports more than ten prompts a second is told to retry later', async () => {
  const { id, agent } = await enrolDevice(tenant.admin.client);
  const answers = await Promise.all(
    Array.from({ length: 300 }, () => agent.post(`/api/v1/agents/${id}/elevation-requests`, promptOf())),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length + answers.filter(({ status }) => status === 201).length).toBe(300);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }
  const other = await enrolDevice(owner.client);
  expect((await eventually(() => reportPrompt(other))).length).toBe(36);
});

test('the limit of a user applies across both gateways, with the time to retry', async () => {
  const answers = await flood(300, (url) => tenant.admin.client.at(url).get('/api/v1/roles'));
  const over = refused(answers);
  expect(over.length).toBeGreaterThan(0);
  expect(answers.length - over.length).toBeGreaterThanOrEqual(20);
  // A burst, and the requests that become free within a minute.
  expect(answers.length - over.length).toBeLessThan(100 + 100);
  for (const answer of over) {
    expect(answer.body).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }
  for (const { headers } of answers) {
    expect(headers['ratelimit-policy']).toMatch(/^"[a-z-]+";q=\d+;w=\d+$/);
    expect(headers.ratelimit).toMatch(/^"[a-z-]+";r=\d+;t=\d+$/);
  }
});

test('reports are limited to five an hour across both gateways', async () => {
  const path = '/api/v1/audit/events/export?format=csv';
  const answers: RestAnswer[] = [];
  for (let index = 0; index < 6; index += 1)
    answers.push(await tenant.admin.client.at(urls[index % 2]!).get(path));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(Number(answers[5]!.headers['retry-after'])).toBeGreaterThan(60);
});

describe('without a sign-in', () => {
  const tries = (forwarded: (index: number) => string) => {
    let index = 0;
    return flood(40, (url) => {
      index += 1;
      return started.network.anonymous
        .at(url)
        .post(
          '/api/v1/auth/login',
          { username: `nobody-${index}`, password: 'x', tenant: tenant.name },
          { headers: { 'x-forwarded-for': forwarded(index) } },
        );
    });
  };

  test('H-005 without a trusted proxy no header changes the client address', async () => {
    const answers = await tries((index) => `203.0.113.${index}`);
    expect(refused(answers).length).toBeGreaterThan(0);
    // Twelve at once and one in six seconds.
    expect(answers.length - refused(answers).length).toBeLessThan(30);
  });
});

describe('hosts', () => {
  function status(host: string, extra = ''): Promise<number> {
    const url = new URL(urls[0]!);
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port: Number(url.port),
        servername: 'localhost',
        ca: readFileSync(started.installation.caCertificate),
      });
      let text = '';
      socket.on('secureConnect', () =>
        socket.write(
          `GET /system/health/ping HTTP/1.1\r\nHost: ${host}\r\n${extra}Connection: close\r\n\r\n`,
        ),
      );
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)));
    });
  }

  test.each([
    ['its own name', 'localhost:7101', '', 200],
    ['its own address', '127.0.0.1', '', 200],
    ['H-012 another host', 'evil.test', '', 421],
    ['H-012 another host that says it was ours', 'evil.test', 'X-Forwarded-Host: localhost\r\n', 421],
    ['H-005 our host that says it was another', 'localhost', 'X-Forwarded-Host: evil.test\r\n', 200],
  ])('%s', async (_, host, extra, expected) => {
    expect(await status(host, extra)).toBe(expected);
  });
});

test('API tokens have limits separate from those of their owner', async () => {
  const tokens = await Promise.all(
    ['one', 'two'].map((name) => owner.client.must('POST', '/api/v1/api-tokens', { name })),
  );
  const [first, second] = tokens.map(({ token }) => owner.client.as(String(token)));
  const answers = await flood(300, (url) => first!.at(url).get('/api/v1/roles'));
  expect(refused(answers).length).toBeGreaterThan(0);
  expect((await second!.get('/api/v1/roles')).status).not.toBe(429);
  expect((await owner.client.get('/api/v1/roles')).status).not.toBe(429);
});

// Last, because it uses the budget of this address.
test('invalid and malformed tokens count against their address across both gateways', async () => {
  const expired = `eyJhbGciOiJFZERTQSJ9.${'a'.repeat(100)}.${'b'.repeat(86)}`;
  const bad = ['x', 'not.a.token', expired, `${owner.token}x`];
  let index = 0;
  const answers = await flood(200, (url) => {
    index += 1;
    return started.network.anonymous
      .at(url)
      .as(bad[index % bad.length]!)
      .get('/api/v1/roles');
  });
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
  // Twenty at once, 80 a minute.
  expect(answers.length - refused(answers).length).toBeLessThanOrEqual(100);
  expect((await owner.client.get('/api/v1/roles')).status).toBe(200);
  // Concurrent tokens that only auth can check are limited like sequential ones.
  const guesses = await flood(200, (url) =>
    started.network.anonymous.at(url).as(`clv_${crypto.randomUUID()}`).get('/api/v1/roles'),
  );
  expect(guesses.length - refused(guesses).length).toBeLessThanOrEqual(100);
  expect(refused(guesses)[0]!.headers['retry-after']).toMatch(/^[1-9]\d*$/);
});
