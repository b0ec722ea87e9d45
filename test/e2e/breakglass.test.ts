import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectNetwork, eventually, type Network, type TestTenant, type TestUser } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { expectOne, settledAtOnce } from '../support/at-once.ts';
import {
  BREAKGLASS,
  guardedEntry,
  retrieve,
  SECRET,
  sealedCodes,
  steppedUp,
  WHY,
} from '../support/breakglass.ts';

let network: Network;
let tenant: TestTenant;
let other: TestTenant;
let boss: TestUser;
let entryId: string;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  [tenant, other] = await Promise.all([network.createTenant(), network.createTenant()]);
  boss = await steppedUp(tenant, ['administrator']);
  entryId = await guardedEntry(tenant);
});
afterAll(async () => network?.[Symbol.asyncDispose]());

interface Event {
  readonly action: string;
  readonly outcome: string;
  readonly actorId: string;
  readonly requestId: string;
  readonly details: Readonly<Record<string, unknown>>;
}

async function eventsOf(userId: string, reader = tenant): Promise<Event[]> {
  const { items } = await reader.admin.client.must(
    'GET',
    `${BREAKGLASS}/audit?pageSize=100&userId=${userId}&sortOrder=asc`,
  );
  return items as Event[];
}

const alerts = (): string[] =>
  Object.entries(network.access.logFiles)
    .filter(([node]) => node.startsWith('workflow'))
    .flatMap(([, file]) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line.includes('"alert":"breakglass"'));

test('two persons open it: it is visible, discloses without a grant, ends, and is reviewed', async () => {
  const who = await steppedUp(tenant, ['operator']);
  const second = await steppedUp(tenant, ['approver']);
  expect((await retrieve(who.client, entryId)).status).toBe(403);
  const asked = await who.client.post(`${BREAKGLASS}/activate`, { ...WHY, durationMinutes: 10 });
  expect(asked).toMatchObject({ status: 201, body: { state: 'awaiting-confirmation' } });
  // H-180: one person alone cannot open it.
  expect((await retrieve(who.client, entryId)).status).toBe(403);
  const path = `${BREAKGLASS}/sessions/${asked.body.id}`;
  expect((await second.client.must('POST', `${path}/confirm`, { comment: 'seen' })).state).toBe('active');
  expect(await retrieve(who.client, entryId)).toMatchObject({ status: 200, body: { secret: SECRET } });
  expect((await retrieve(second.client, entryId)).status).toBe(403);
  const seen = await who.client.must('GET', `${BREAKGLASS}/status`);
  expect(seen).toMatchObject({ active: true, openSessions: [{ id: asked.body.id, userName: who.username }] });
  // Health shows "unknown" if workflow answers too slowly.
  const noticeOf = async ({ admin }: TestTenant) =>
    (await admin.client.must('GET', '/system/health/detail')).breakglass;
  await eventually(async () =>
    expect(await noticeOf(tenant)).toMatchObject({ status: 'open', openSessions: 1 }),
  );
  await eventually(async () => expect(await noticeOf(other)).toEqual({ status: 'closed', openSessions: 0 }));
  const ended = await who.client.must('POST', `${BREAKGLASS}/deactivate`, { reason: 'repaired' });
  expect(ended).toMatchObject({ state: 'deactivated', disclosed: 1, rotationsImpossible: 1 });
  expect((await retrieve(who.client, entryId)).status).toBe(403);
  const session = await second.client.must('GET', path);
  expect(session.disclosures).toMatchObject([{ entryId, version: 1, rotation: 'impossible' }]);
  const reviewed = await boss.client.must('POST', `${path}/review`, { review: 'It was justified.' });
  expect(reviewed.reviewedByName).toBe(boss.username);
  await eventually(async () => {
    const actions = (await eventsOf(who.id)).map(({ action, outcome }) => `${action} ${outcome}`);
    expect(actions).toEqual([
      'breakglass.requested allowed',
      'vault.entry.retrieved allowed',
      'breakglass.deactivated allowed',
    ]);
  });
  expect((await eventsOf(who.id))[1]!.details).toMatchObject({ basis: 'breakglass' });
});

test('H-180 without permission, second factor, reason or the procedure of the policy: refused, audited, announced', async () => {
  const requester = await steppedUp(tenant, ['requester']);
  const weak = await tenant.createUser(['operator']);
  const who = await steppedUp(tenant, ['operator']);
  const before = alerts().length;
  const tries = [
    [requester, WHY, 403, 'denied'],
    [weak, WHY, 403, 'mfa_not_satisfied'],
    [who, { ...WHY, reason: '' }, 400, 'invalid'],
    [who, { ...WHY, sealedCode: `${'AAAAA-'.repeat(5)}A` }, 403, 'sealed_code_wrong'],
  ] as const;
  for (const [user, body, status, code] of tries) {
    const answer = await user.client.post(`${BREAKGLASS}/activate`, body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  }
  await eventually(async () => {
    for (const [user, count] of [
      [requester, 1],
      [weak, 1],
      [who, 2],
    ] as const) {
      const events = await eventsOf(user.id);
      expect(events.filter(({ outcome }) => outcome !== 'allowed')).toHaveLength(count);
    }
  });
  await eventually(() => expect(alerts().length).toBeGreaterThanOrEqual(before + 4));
  expect(await tenant.admin.client.must('GET', `${BREAKGLASS}/sessions?userId=${who.id}`)).toMatchObject({
    totalItems: 0,
  });
});

test('H-182 of 20 activations at two gateways one opens, and its code is used', async () => {
  const who = await steppedUp(tenant, ['operator']);
  const [sealedCode] = await sealedCodes(boss.client, 3);
  const settled = await settledAtOnce(
    Array.from({ length: 20 }, (_, index) => {
      const client = who.client.at(network.access.urls[index % 2]!);
      return () => client.post(`${BREAKGLASS}/activate`, { ...WHY, sealedCode });
    }),
  );
  expectOne(settled, 201, /^409 breakglass_open$/);
  await who.client.must('POST', `${BREAKGLASS}/deactivate`, {});
  const replay = await who.client.post(`${BREAKGLASS}/activate`, { ...WHY, sealedCode });
  expect(replay).toMatchObject({ status: 403, body: { code: 'sealed_code_wrong' } });
});

test('H-184 a person with emergency access cannot administer anything at any gateway until it ends', async () => {
  const who = await steppedUp(tenant, ['administrator']);
  const [sealedCode] = await sealedCodes(boss.client, 1);
  const calls = [
    ['PUT', `/api/v1/users/${tenant.admin.id}/roles`, { roles: ['requester'] }],
    ['DELETE', `/api/v1/users/${tenant.admin.id}/mfa`, undefined],
    ['DELETE', '/api/v1/auth/mfa', undefined],
    ['POST', '/api/v1/users', { username: `u-${randomUUID()}`, roles: ['administrator'] }],
    ['POST', '/api/v1/api-tokens', { name: 'robot' }],
    ['POST', '/api/v1/roles', { name: `r-${randomUUID()}`, permissions: [] }],
    ['PUT', '/api/v1/admin/config', { values: { access: { maximumGrantMinutes: 100 } }, reason: 'x' }],
    ['GET', '/api/v1/audit/events/export?format=csv', undefined],
    ['POST', `${BREAKGLASS}/codes`, { reason: 'more of them' }],
  ] as const;
  // Both gateways have cached the actor.
  for (const url of network.access.urls) await who.client.at(url).must('GET', '/api/v1/users');
  await who.client.must('POST', `${BREAKGLASS}/activate`, { ...WHY, sealedCode });
  for (const url of network.access.urls) {
    for (const [method, path, body] of calls) {
      const answer = await who.client.at(url).call(method, path, body);
      expect([method, path, answer.status, answer.body?.code]).toEqual([method, path, 403, 'in_emergency']);
    }
  }
  expect((await who.client.get('/api/v1/users')).status).toBe(200);
  expect((await boss.client.post('/api/v1/api-tokens', { name: 'robot' })).status).toBe(201);
  await who.client.must('POST', `${BREAKGLASS}/deactivate`, {});
  for (const url of network.access.urls)
    expect((await who.client.at(url).post('/api/v1/api-tokens', { name: 'robot' })).status).toBe(201);
});

test('another tenant sees nothing of it', async () => {
  const who = await steppedUp(tenant, ['operator']);
  const { id } = await who.client.must('POST', `${BREAKGLASS}/activate`, WHY);
  const stranger = await steppedUp(other, ['administrator']);
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['POST', '/confirm', {}],
    ['POST', '/review', { review: 'x' }],
  ] as const) {
    const answer = await stranger.client.call(method, `${BREAKGLASS}/sessions/${id}${path}`, body);
    expect(answer.status).toBe(404);
  }
  const ending = await stranger.client.post(`${BREAKGLASS}/deactivate`, { sessionId: id });
  expect(ending.status).toBe(404);
  expect(await stranger.client.must('GET', `${BREAKGLASS}/sessions`)).toMatchObject({ totalItems: 0 });
  expect(await eventsOf(who.id, other)).toEqual([]);
});

/** Runs the real command as this user; returns the JSON that it prints. */
async function claviger(
  user: TestUser,
  args: readonly string[],
  input = '',
): Promise<Record<string, unknown>> {
  const main = join(import.meta.dirname, '../../packages/cli/src/main.ts');
  const { dataDir, urls, caCertificate } = network.access;
  const token = await user.freshToken();
  const child = spawn(process.execPath, [main, 'breakglass', ...args, '-o', 'json'], {
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(dataDir, 'compile-cache'),
      CLAVIGER_ADDR: urls[0],
      CLAVIGER_CA: caCertificate,
      CLAVIGER_TOKEN: token,
    },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  expect([args, await promise, output.stderr]).toEqual([args, 0, '']);
  return JSON.parse(output.stdout) as Record<string, unknown>;
}

test('the whole procedure on the command line, with the code on standard input', async () => {
  const who = await steppedUp(tenant, ['operator']);
  const { codes } = await claviger(boss, ['codes', '--count', '1', '--reason', 'envelopes']);
  const opening = ['activate', '--reason', WHY.reason, '--entry', entryId, '--sealed-code-stdin'];
  const session = await claviger(who, opening, `${(codes as string[])[0]}\n`);
  expect(session).toMatchObject({ state: 'active', entryIds: [entryId] });
  expect(await claviger(who, ['status'])).toMatchObject({ active: true });
  expect(await claviger(who, ['deactivate', '--reason', 'repaired'])).toMatchObject({ state: 'deactivated' });
  const id = session.id as string;
  await claviger(boss, ['review', id, '--text', 'justified']);
  expect(await claviger(boss, ['sessions', '--all'])).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ id, review: 'justified' })]),
  });
  expect(await claviger(boss, ['drill'])).toMatchObject({ passed: true });
});
