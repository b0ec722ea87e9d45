import { randomUUID } from 'node:crypto';
import { type HttpBinding, type MethodInfo, methods } from '@claviger/contracts';
import { connectNetwork, eventually, type Network, type RestAnswer } from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Sample } from './sample.ts';
import { fillPath, samples } from './samples.ts';
import { buildWorld, type World } from './world.ts';

interface Operation {
  readonly method: MethodInfo;
  readonly binding: HttpBinding;
  /** Path parameters that are UUIDs of objects. */
  readonly ids: readonly string[];
}

const operations = [...methods.values()].flatMap((method): Operation[] => {
  const [binding] = method.http;
  if (!binding || !samples[method.name]) return [];
  const ids = method.request.fields
    .filter(({ rules }) => rules?.format === 'id' && rules.pattern === '' && rules.allowed.length === 0)
    .map(({ protoName }) => protoName)
    .filter((name) => binding.path.includes(`{${name}}`));
  return ids.length > 0 ? [{ method, binding, ids }] : [];
});
const titled = (list: readonly Operation[]): [string, Operation][] =>
  list.map((operation) => [`${operation.binding.method} ${operation.binding.path}`, operation]);

let network: Network;
let world: World;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  world = await buildWorld(network);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

function send(
  { method, binding }: Operation,
  sample: Sample,
  change: (name: string, value: string) => string,
): Promise<RestAnswer> {
  const params = Object.fromEntries(
    Object.entries(sample.params ?? {}).map(([name, value]) => [name, change(name, value)]),
  );
  const { agent, platform, stepUp } = method.policy!;
  const client =
    sample.client ??
    (agent ? world.agent : platform ? world.platform : stepUp ? world.steppedUp : world.admin);
  const path = fillPath(binding.path, params) + (sample.query ?? '');
  return client.call(binding.method, path, binding.body ? (sample.body ?? {}) : undefined);
}

const sampleOf = ({ method }: Operation): Promise<Sample> => Promise.resolve(samples[method.name]!(world));

test('most operations name an object in their path', () => {
  expect(operations.length).toBeGreaterThan(80);
});

describe('a text that is no id has the answer of an unknown id; upper case names the same object', () => {
  test.each(titled(operations))('%s', async (_, operation) => {
    const sample = await sampleOf(operation);
    const answer = async (id: string) => {
      const { status, body } = await send(operation, sample, (name, value) =>
        operation.ids.includes(name) ? id : value,
      );
      return { status, code: body?.code, detail: body?.detail, hint: body?.hint };
    };
    expect(await answer('no-id')).toEqual(await answer(randomUUID()));
    // Other methods change the object, so the sample would no longer fit.
    if (operation.binding.method !== 'GET') return;
    const upper = await send(operation, sample, (name, value) =>
      operation.ids.includes(name) ? value.toUpperCase() : value,
    );
    expect([upper.status, upper.body?.code]).toEqual([200, undefined]);
  });
});

test('a filter that is no id matches nothing', async () => {
  const entries = await world.admin.must('GET', '/api/v1/vault/entries?resourceId=no-id');
  expect(entries).toMatchObject({ items: [], totalItems: 0 });
  const all = await world.admin.must('GET', '/api/v1/vault/entries');
  expect(all.totalItems).toBeGreaterThan(0);
});

test('the record of a refusal shows the text that is no id, and names no subject', async () => {
  const requestId = randomUUID();
  const path = '/api/v1/vault/entries/no-id/retrieve';
  const refused = await world.admin.call('POST', path, {}, { headers: { 'x-request-id': requestId } });
  expect(refused.status).toBe(404);
  await eventually(async () => {
    const list = '/api/v1/audit/events?action=vault.entry.retrieved&outcome=failed';
    const { items } = await world.admin.must('GET', list);
    const event = (items as Record<string, unknown>[]).find((each) => each.requestId === requestId);
    expect(event).toMatchObject({ subjectId: '', details: { entryId: 'no-id' } });
  });
});
