import { randomUUID } from 'node:crypto';
import {
  connectNetwork,
  eventually,
  type Network,
  type RestAnswer,
  type RestClient,
  type TestTenant,
} from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
let admin: RestClient;
let urls: readonly string[];

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  urls = network.access.urls;
  tenant = await network.createTenant();
  admin = tenant.admin.client;
});
afterAll(async () => network?.[Symbol.asyncDispose]());

const ENTRIES = '/api/v1/vault/entries';
const entry = (name: string) => ({ name, type: 'note', secret: `canary-${name}` });
const keyed = (key: string, extra: Record<string, string> = {}) => ({
  headers: { 'idempotency-key': key, ...extra },
});

/** Events of an action for this tenant in the outbox of the vault, so that no relay is needed. */
function eventsOf(schema: 'vault' | 'auth', action: string, of = tenant): Promise<Record<string, unknown>[]> {
  return network.superuser(async (db) => {
    const { rows } = await db.query<{ payload: string }>(
      `SELECT payload FROM ${schema}.outbox WHERE tenant_id = $1 AND kind = 'audit'`,
      [of.id],
    );
    return rows
      .map(({ payload }) => JSON.parse(payload) as Record<string, unknown>)
      .filter((event) => event.action === action);
  });
}

const namesOf = async (client: RestClient, name: string): Promise<string[]> =>
  ((await client.must('GET', `${ENTRIES}?pageSize=100`)).items as { name: string }[])
    .map((item) => item.name)
    .filter((each) => each === name);

/** Repeats the call until the first attempt has settled, as a client would. */
const settled = (send: () => Promise<RestAnswer>): Promise<RestAnswer> =>
  eventually(async () => {
    const answer = await send();
    expect(answer.body.retryable, answer.text).not.toBe(true);
    return answer;
  });

test('20 at once with one key over two gateways: one effect, one event, one answer', async () => {
  const [key, name] = [randomUUID(), `once-${randomUUID()}`];
  const send = (url: string) => admin.at(url).post(ENTRIES, entry(name), keyed(key));
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(urls[index % 2]!)));
  // Calls during the first one were answered with "in progress".
  for (const answer of answers) {
    expect(answer.status === 201 || answer.body.retryable === true, answer.text).toBe(true);
  }
  const again = await settled(() => send(urls[1]!));
  expect(again.status).toBe(201);
  const created = answers.filter(({ status }) => status === 201);
  expect(new Set([...created, again].map(({ body }) => body.id)).size).toBe(1);
  expect(await namesOf(admin, name)).toHaveLength(1);
  const events = await eventsOf('vault', 'vault.entry.created');
  expect(events.filter(({ subjectId }) => subjectId === again.body.id)).toHaveLength(1);
  expect(events.filter(({ outcome }) => outcome !== 'allowed')).toEqual([]);
});

test('the stored answer equals the first one, byte for byte', async () => {
  const [key, name] = [randomUUID(), `same-${randomUUID()}`];
  const first = await admin.post(ENTRIES, entry(name), keyed(key));
  await admin.must('PUT', `${ENTRIES}/${first.body.id}`, { name: `${name}-renamed` });
  const again = await settled(() => admin.post(ENTRIES, entry(name), keyed(key)));
  expect(again.status).toBe(201);
  expect(again.text).toBe(first.text);
});

test('another request with a used key is refused and has no effect', async () => {
  const [key, name] = [randomUUID(), `other-${randomUUID()}`];
  await admin.post(ENTRIES, entry(`first-${name}`), keyed(key));
  for (const answer of [
    await admin.post(ENTRIES, entry(name), keyed(key)),
    await admin.post(ENTRIES, { ...entry(`first-${name}`), secret: 'another' }, keyed(key)),
  ]) {
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('idempotency_key_reused');
  }
  expect(await namesOf(admin, name)).toEqual([]);
});

test('the same key of another user, tenant or service is a different key', async () => {
  const [key, name] = [randomUUID(), `theirs-${randomUUID()}`];
  const other = await tenant.createUser(['administrator']);
  const foreign = await network.createTenant();
  const answers = [
    await admin.post(ENTRIES, entry(name), keyed(key)),
    // Names are unique within a tenant.
    await other.client.post(ENTRIES, entry(`${name}-2`), keyed(key)),
    await foreign.admin.client.post(ENTRIES, entry(name), keyed(key)),
    await admin.post('/api/v1/roles', { name: `r-${randomUUID().slice(0, 8)}`, permissions: [] }, keyed(key)),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(4);
});

test('a refused request does not use its key', async () => {
  const key = randomUUID();
  const name = `r-${randomUUID().slice(0, 8)}`;
  expect((await admin.post('/api/v1/roles', { name, permissions: 1 }, keyed(key))).status).toBe(400);
  await admin.must('POST', '/api/v1/roles', { name, permissions: [] });
  const conflicting = await admin.post('/api/v1/roles', { name, permissions: [] }, keyed(key));
  expect(conflicting.status).toBe(409);
  expect(conflicting.body.code).not.toMatch(/idempotency|in_progress/);
  const other = await admin.post('/api/v1/roles', { name: `${name}b`, permissions: [] }, keyed(key));
  expect(other.status).toBe(201);
});

describe('answers with secrets are never stored', () => {
  test('a token is created once; the repetition returns its id without the token', async () => {
    const key = randomUUID();
    const body = { name: 'for a robot', permissions: ['vault.entries.read'], expiresInDays: 1 };
    const first = await admin.post('/api/v1/api-tokens', body, keyed(key));
    expect(first.status, first.text).toBe(201);
    const again = await admin.post('/api/v1/api-tokens', body, keyed(key));
    expect(again.status).toBe(409);
    expect(again.body.code).toBe('idempotency_replayed');
    expect(again.text).not.toContain(String(first.body.token));
    const [event] = await eventsOf('auth', 'api-token.created');
    expect(again.body.detail).toContain(String(event!.subjectId));
    expect(await eventsOf('auth', 'api-token.created')).toHaveLength(1);
  });

  test('a secret is disclosed once, with one event', async () => {
    const name = `seen-${randomUUID()}`;
    const { id } = await admin.must('POST', ENTRIES, entry(name));
    const key = randomUUID();
    const retrieve = (extra: string) =>
      admin.post(`${ENTRIES}/${id}/retrieve`, { reason: 'look' }, keyed(key + extra));
    const answers = await Promise.all(Array.from({ length: 6 }, () => retrieve('')));
    const shown = answers.filter(({ text }) => text.includes(`canary-${name}`));
    expect(shown).toHaveLength(1);
    for (const answer of answers) {
      if (answer !== shown[0]) expect([409, 503]).toContain(answer.status);
    }
    const events = (await eventsOf('vault', 'vault.entry.retrieved')).filter(
      ({ subjectId, outcome }) => subjectId === id && outcome === 'allowed',
    );
    expect(events).toHaveLength(1);
    expect((await retrieve('')).body.code).toBe('idempotency_replayed');
    expect((await retrieve('x')).status).toBe(200);
  });

  test('no table of keys contains a secret of request or answer', async () => {
    const name = `hidden-${randomUUID()}`;
    const key = randomUUID();
    await admin.post(ENTRIES, entry(name), keyed(key));
    const dump = await network.superuser(async (db) => {
      const { rows } = await db.query<{ row: string }>(
        `SELECT row_to_json(k)::text || convert_from(coalesce(k.answer, ''), 'LATIN1') AS row
         FROM vault.idempotency_keys k WHERE tenant_id = $1`,
        [tenant.id],
      );
      return rows.map(({ row }) => row).join('\n');
    });
    expect(dump).not.toContain('canary-');
    expect(dump).not.toContain(key);
  });
});

test.each([
  ['empty', ''],
  ['with a blank inside', 'a b'],
  ['two in one', 'a, b'],
  ['too long', 'x'.repeat(256)],
  ['not ASCII', 'schlüssel'],
])('a key that is %s is refused before anything is done', async (_, key) => {
  const name = `bad-${randomUUID()}`;
  const answer = await admin.post(ENTRIES, entry(name), {
    headers: { 'idempotency-key': Buffer.from(key).toString('latin1') },
  });
  expect(answer.status).toBe(400);
  expect(answer.body.code).toBe('idempotency_key_invalid');
  expect(await namesOf(admin, name)).toEqual([]);
});

test('a key does not repeat an answer that its user may no longer see', async () => {
  const key = randomUUID();
  const someone = await tenant.createUser(['administrator']);
  const body = { name: `r-${randomUUID().slice(0, 8)}`, permissions: [] };
  expect((await someone.client.post('/api/v1/roles', body, keyed(key))).status).toBe(201);
  await admin.must('PUT', `/api/v1/users/${someone.id}/roles`, { roles: [] });
  const after = await someone.client.post('/api/v1/roles', body, keyed(key));
  expect([401, 403]).toContain(after.status);
});
