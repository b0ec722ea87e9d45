import { type RsyslogTarget, startRsyslog } from '@claviger/targets';
import { connectNetwork, eventually, type Network, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import {
  ableToConfigure,
  arrivedAt,
  type HttpsDestination,
  setSiemTargets,
  startHttpsDestination,
} from '../support/siem.ts';

const STATUS = '/api/v1/admin/siem/status';
const TEST = '/api/v1/admin/siem/test';
const INSIDE = 'what-the-destination-says';

let network: Network;
let tenant: TestTenant;
let rsyslog: RsyslogTarget;
let https: HttpsDestination;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  [tenant, rsyslog, https] = await Promise.all([
    network.createTenant(),
    startRsyslog(),
    startHttpsDestination(INSIDE),
  ]);
  await network.openTargets(...Object.values(rsyslog.ports), Number(new URL(https.url).port), dead.port);
  await ableToConfigure(tenant);
});
afterAll(async () => {
  https?.[Symbol.dispose]();
  await rsyslog?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

const tls = () => ({
  name: 'tls',
  transport: 'syslog-tls',
  host: '127.0.0.1',
  port: rsyslog.ports.tls,
  ca: rsyslog.ca,
  format: 'cef',
});
const post = () => ({
  name: 'post',
  transport: 'https',
  url: `${https.url}?key=in-the-query`,
  ca: https.ca,
  token: 'destination-token-1',
});
const dead = { name: 'dead', transport: 'syslog-tcp', host: '127.0.0.1', port: 1 };
const off = { ...dead, name: 'off', enabled: false };

test('every destination receives the log, and the status shows the position of each', async () => {
  const { client } = tenant.admin;
  await setSiemTargets(tenant, [tls(), post(), dead, off]);
  const items = await eventually(async () => {
    const answer = await client.must('GET', STATUS);
    const all = answer.items as Record<string, unknown>[];
    expect(all.map(({ state }) => state)).toEqual(['ok', 'ok', 'never_connected', 'disabled']);
    expect(all.map(({ lagEvents }) => lagEvents)).toEqual([0, 0, answer.logSize, answer.logSize]);
    expect(all[2]!.failures).toBeGreaterThan(0);
    return all;
  });
  expect(items[0]).toMatchObject({
    address: `127.0.0.1:${rsyslog.ports.tls}`,
    format: 'cef',
    lastError: '',
    maxMessageBytes: 8_192,
  });
  expect(items[1]!.address).toBe(https.url);
  expect(items[1]).not.toHaveProperty('maxMessageBytes');
  expect(items[2]).toMatchObject({
    nextSequence: 0,
    lastError: 'The target could not be reached (ECONNREFUSED).',
  });
  expect(items[2]!.oldestUnsentAt).toBeDefined();
  const { items: listed } = await client.must('GET', '/api/v1/audit/events?pageSize=100&sortOrder=asc');
  const ids = (listed as { id: string; sequence?: number }[])
    .filter(({ sequence }) => sequence !== undefined)
    .sort((a, b) => a.sequence! - b.sequence!)
    .map(({ id }) => id);
  await eventually(async () => {
    // A batch that was interrupted before its position was stored is sent again.
    const arrived = new Set((await arrivedAt(rsyslog, tenant.id)).map(({ id }) => id));
    expect([...arrived].slice(0, ids.length)).toEqual(ids);
  });
  expect(https.posts[0]!.headers).toMatchObject({ authorization: 'Bearer destination-token-1' });
});

test('a test uses the real path, is audited, and shows the result of each destination but not its answer', async () => {
  const { client } = tenant.admin;
  https.status = 418;
  const answer = await client.post(TEST, {});
  https.status = 200;
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain(INSIDE);
  const results = answer.body.results as { name: string; ok: boolean; problem: string }[];
  expect(answer.body.ok).toBe(false);
  expect(results.map(({ name, ok, problem }) => [name, ok, problem])).toEqual([
    ['tls', true, ''],
    ['post', false, 'The destination answered with status 418.'],
    ['dead', false, 'The target could not be reached (ECONNREFUSED).'],
    ['off', false, 'The target could not be reached (ECONNREFUSED).'],
  ]);
  const eventId = answer.body.eventId as string;
  // The event was sent; rsyslog writes it a moment later.
  await eventually(async () =>
    expect((await arrivedAt(rsyslog, tenant.id)).filter(({ id }) => id === eventId)).toEqual([
      { id: eventId, sequence: undefined },
    ]),
  );
  const one = await client.must('POST', TEST, { target: 'tls' });
  expect(one).toMatchObject({ ok: true, results: [{ name: 'tls', ok: true }] });
  await eventually(async () => {
    const { items } = await client.must('GET', '/api/v1/audit/events?action=siem.tested');
    expect((items as { details: object }[]).map(({ details }) => details)).toContainEqual({
      targets: ['tls', 'post', 'dead', 'off'],
      testEventId: eventId,
    });
  });
  const unknown = await client.post(TEST, { target: 'nobody' });
  expect(unknown.status).toBe(400);
  expect(unknown.text).toContain('/target');
});

test.each([
  ['user info in the URL', { url: 'https://user:pw@siem.example/' }],
  ['a line break in the URL', { url: 'https://siem.example/\r\nx-injected: 1' }],
  ['a line break in the token', { token: 'a\r\nx-injected: 1' }],
])('H-236: %s is refused', async (_, change) => {
  const answer = await tenant.admin.client.put('/api/v1/admin/config', {
    values: { siem: { targets: [{ ...post(), ...change }] } },
  });
  expect(answer.status).toBe(400);
  expect(answer.text).not.toContain('user:pw');
});

test('another tenant sees and tests only its own destinations', async () => {
  const other = await network.createTenant();
  expect(await other.admin.client.must('GET', STATUS)).toMatchObject({ items: [] });
  expect(await other.admin.client.must('POST', TEST, {})).toMatchObject({ ok: false, results: [] });
  expect((await other.admin.client.post(TEST, { target: 'tls' })).status).toBe(400);
});

test('the token is masked in settings and is in no event', async () => {
  const { client } = tenant.admin;
  expect((await client.get('/api/v1/admin/config')).text).not.toContain('destination-token-1');
  // The audit service learns of the change a moment later.
  const text = await eventually(async () => {
    const exported = await client.get('/api/v1/audit/events/export?format=json');
    expect(exported.text).toContain('config.updated');
    return exported.text;
  });
  expect(text).not.toContain('destination-token-1');
  for (const { body } of https.posts) expect(body).not.toContain('destination-token-1');
});
