import { answersHead, type HttpBinding, type MethodInfo, methods } from '@claviger/contracts';
import { connectNetwork, type Network, type RestAnswer, type RestClient } from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Sample } from './sample.ts';
import { fillPath, samples } from './samples.ts';
import { buildWorld, type World } from './world.ts';

interface Operation {
  readonly method: MethodInfo;
  readonly binding: HttpBinding;
}

/** Without the operations whose success is tested in test/e2e. */
const operations: Operation[] = [...methods.values()].flatMap((method) => {
  const [binding] = method.http;
  return binding && samples[method.name] ? [{ method, binding }] : [];
});
const titled = (list: readonly Operation[]): [string, Operation][] =>
  list.map((operation) => [`${operation.binding.method} ${operation.binding.path}`, operation]);

const namesVersion = (fields: MethodInfo['request']['fields']): boolean =>
  fields.some((field) => field.protoName === 'row_version' && !field.repeated);
const answersVersion = ({ method, binding }: Operation): boolean => {
  const only = method.response.fields.find((field) => field.protoName === binding.responseBody)?.message;
  return namesVersion((only ?? method.response).fields) && !method.policy!.discloses;
};

const tagged = operations.filter((each) => each.binding.method === 'GET' && answersVersion(each));
const gets = operations.filter(({ binding }) => binding.method === 'GET');
const changing = operations.filter(({ binding }) => ['PUT', 'PATCH', 'DELETE'].includes(binding.method));
const versioned = changing.filter(({ method }) => namesVersion(method.request.fields));
const unversioned = changing.filter(({ method }) => !namesVersion(method.request.fields));

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

function callerOf({ method }: Operation, sample: Sample): RestClient {
  if (sample.client) return sample.client;
  if (method.policy!.agent) return world.agent;
  if (method.policy!.platform) return world.platform;
  return method.policy!.stepUp ? world.steppedUp : world.admin;
}

function send(
  operation: Operation,
  sample: Sample,
  headers: Record<string, string>,
  verb: string = operation.binding.method,
): Promise<RestAnswer> {
  const { binding } = operation;
  const path = fillPath(binding.path, sample.params) + (sample.query ?? '');
  const body = binding.body ? (sample.body ?? {}) : undefined;
  return callerOf(operation, sample).call(verb, path, body, { headers });
}

const sampleOf = ({ method }: Operation): Promise<Sample> => Promise.resolve(samples[method.name]!(world));

describe('an object with a version has a tag, and is not sent again while unchanged', () => {
  test.each(titled(tagged))('%s', async (_, operation) => {
    const sample = await sampleOf(operation);
    const first = await send(operation, sample, {});
    expect(first.status).toBe(200);
    const tag = first.headers.etag!;
    expect(tag).toMatch(new RegExp(`^"${first.body.rowVersion}-[A-Za-z0-9_-]+"$`));
    const again = await send(operation, sample, { 'if-none-match': `"other", W/${tag}` });
    // The object may have changed in between; then its tag has changed too.
    if (again.status === 304) {
      expect([again.text, again.headers.etag]).toEqual(['', tag]);
    } else {
      expect(again.status).toBe(200);
      expect(again.headers.etag).not.toBe(tag);
    }
    expect((await send(operation, sample, { 'if-none-match': '"0-other"' })).status).toBe(200);
  });
});

describe('H-131 a change made from another version is refused', () => {
  test.each(titled(versioned))('%s', async (_, operation) => {
    const sample = await sampleOf(operation);
    const stale = await send(operation, sample, { 'if-match': '"999999999"' });
    expect(stale.status, stale.text).toBe(412);
    expect(stale.headers['content-type']).toContain('application/problem+json');
    const done = await send(operation, sample, {});
    expect(done.status, done.text).toBeLessThan(300);
  });
});

describe('an operation without a version refuses a condition', () => {
  test.each(titled(unversioned))('%s', async (_, operation) => {
    const answer = await send(operation, await sampleOf(operation), { 'if-match': '"1"' });
    expect(answer.status, answer.text).toBe(412);
    expect(answer.body.code).toBe('unconditional');
  });
});

describe('HEAD is answered like GET without a body, or with 405 if GET discloses or delivers something', () => {
  test.each(titled(gets))('%s', async (_, operation) => {
    const { method, binding } = operation;
    const head = await send(operation, await sampleOf(operation), {}, 'HEAD');
    expect([head.status, head.text]).toEqual([answersHead(method, binding) ? 200 : 405, '']);
    if (head.status === 405) expect(head.headers.allow).not.toContain('HEAD');
  });
});

test('the tag of a read permits one change', async () => {
  const path = `/api/v1/vault/entries/${await world.createEntry({ detached: true })}`;
  const tag = (await world.admin.get(path)).headers.etag!;
  const change = (description: string) =>
    world.admin.put(path, { description }, { headers: { 'if-match': tag } });
  const answers = await Promise.all([change('one'), change('two'), change('three')]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
});
