import { randomUUID } from 'node:crypto';
import { type HttpBinding, type MethodInfo, methods } from '@claviger/contracts';
import {
  connectNetwork,
  enrolSecondFactor,
  eventually,
  type Network,
  type RestAnswer,
  type RestClient,
} from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { fillLists } from './fill-lists.ts';
import type { Sample } from './sample.ts';
import { fillPath, samples } from './samples.ts';
import { buildWorld, type World } from './world.ts';

interface Operation {
  readonly method: MethodInfo;
  readonly binding: HttpBinding;
}

const operations: Operation[] = [...methods.values()].flatMap((method) => {
  const [binding] = method.http;
  return binding ? [{ method, binding }] : [];
});
const titled = (list: readonly Operation[]): [string, Operation][] =>
  list.map((operation) => [`${operation.binding.method} ${operation.binding.path}`, operation]);

const protectedOnes = operations.filter(({ method }) => !method.policy!.public);
const permitted = operations.filter(({ method }) => method.policy!.permission !== '');
const addressed = operations.filter(({ binding }) => binding.path.includes('{'));
const audited = operations.filter(({ method }) => method.policy!.audit !== '');

let network: Network;
let world: World;
let stranger: RestClient;
let powerless: RestClient;
/** The agent of a device in the other tenant. */
let strangeAgent: RestClient;
/** The tenant that runs the installation. */
let platformId: string;

beforeAll(async () => {
  network = connectNetwork(inject('network'));
  world = await buildWorld(network);
  platformId = await network.superuser(async (db) => {
    const { rows } = await db.query<{ id: string }>("SELECT id FROM auth.tenants WHERE name = 'default'");
    return rows[0]!.id;
  });
  stranger = (await network.createTenant()).admin.client;
  await enrolSecondFactor(stranger);
  const { agentToken } = await stranger.must('POST', '/api/v1/devices', { hostname: 'elsewhere' });
  strangeAgent = network.anonymous.as(agentToken as string);
  await world.admin.must('POST', '/api/v1/roles', { name: 'nothing', permissions: [] });
  powerless = (await world.tenant.createUser(['nothing'])).client;
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

function send(
  client: RestClient,
  { binding }: Operation,
  sample: Sample,
  requestId: string = randomUUID(),
): Promise<RestAnswer> {
  const body = binding.body ? (sample.body ?? {}) : undefined;
  return client.call(binding.method, fillPath(binding.path, sample.params) + (sample.query ?? ''), body, {
    headers: { 'x-request-id': requestId },
  });
}

/** A caller with the required role, tenant and second factor. */
function callerOf({ method }: Operation): RestClient {
  if (method.policy!.agent) return world.agent;
  if (method.policy!.platform) return world.platform;
  return method.policy!.stepUp ? world.steppedUp : world.admin;
}

/** Expected events of a call: denied by its policy; one refusal of any kind; or a success. */
const FITS = {
  denied: (outcomes: readonly string[]) => outcomes.length === 1 && outcomes[0] === 'denied',
  refused: (outcomes: readonly string[]) =>
    outcomes.length === 1 && (outcomes[0] === 'failed' || outcomes[0] === 'denied'),
  done: (outcomes: readonly string[]) => outcomes.includes('allowed'),
};

interface AuditedCall {
  readonly requestId: string;
  readonly action: string;
  /** The tenant whose log must contain the event. */
  readonly tenantId: string;
  readonly how: keyof typeof FITS;
}
/** All audited calls of this file. One query at its end looks for their events. */
const auditedCalls: AuditedCall[] = [];

function audits({ method }: Operation, requestId: string, how: AuditedCall['how']): void {
  const { audit, platform } = method.policy!;
  const tenantId = platform && how !== 'denied' ? platformId : world.tenant.id;
  if (audit !== '') auditedCalls.push({ requestId, action: audit, tenantId, how });
}

test('every operation of the contract has a sample here', () => {
  expect(operations.map(({ method }) => method.name).filter((name) => !(name in samples))).toEqual([]);
});

describe('without a token', () => {
  test.concurrent.each(titled(protectedOnes))('H-090 %s answers 401', async (_, operation) => {
    const answer = await send(network.anonymous, operation, {});
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body.code).toBeTruthy();
  });
});

describe('with a role without permissions', () => {
  test.concurrent.each(titled(permitted))('%s answers 403', async (_, operation) => {
    const requestId = randomUUID();
    const answer = await send(powerless, operation, {}, requestId);
    expect(answer.status).toBe(403);
    audits(operation, requestId, 'denied');
  });
});

describe('with a token of the other kind', () => {
  test.concurrent.each(titled(protectedOnes))('%s answers 403', async (_, operation) => {
    const { agent } = operation.method.policy!;
    const answer = await send(agent ? world.admin : world.agent, operation, {});
    expect([answer.status, answer.body.code]).toEqual([403, agent ? 'agents_only' : 'not_for_agents']);
  });
});

describe("H-176 with another tenant's real object", () => {
  test.each(titled(addressed))('%s answers 404, the same as for an unknown id', async (_, operation) => {
    const make = samples[operation.method.name];
    const sample = make ? await make(world) : { params: { user_id: world.userId } };
    const other = operation.method.policy!.agent ? strangeAgent : stranger;
    const foreign = await send(other, operation, sample, 'same');
    const unknown = await send(other, operation, { ...sample, params: {} }, 'same');
    // Operations on the whole installation are refused before any look-up.
    const expected = operation.method.policy!.platform ? 403 : 404;
    expect(foreign.status).toBe(expected);
    expect(foreign.text).toBe(unknown.text);
    expect(unknown.status).toBe(expected);
  });
});

describe('a permitted call', () => {
  const able = operations.filter(({ method }) => samples[method.name]);
  test.each(titled(able))('%s answers its documented success', async (_, operation) => {
    const sample = await samples[operation.method.name]!(world);
    const requestId = randomUUID();
    const caller = callerOf(operation);
    const answer = await send(sample.client ?? caller, operation, sample, requestId);
    expect({ status: answer.status, problem: answer.status < 300 ? '' : answer.text }).toEqual({
      status: operation.method.policy!.successStatus || 200,
      problem: '',
    });
    if (answer.status === 204) expect(answer.text).toBe('');
    if (operation.method.policy!.discloses) expect(answer.headers['cache-control']).toContain('no-store');
    audits(operation, requestId, 'done');
  });
});

describe('a call that fails', () => {
  const failing: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
    EraseChatHistory: () => ({ query: '?before=never' }),
    ExportEvents: () => ({ query: '?from=2026-02-02&to=2026-01-01' }),
    GetSummary: () => ({ query: '?from=2026-02-02&to=2026-01-01' }),
    ...Object.fromEntries(
      ['ListEvents', 'ListTreeHeads', 'ListBreakglassEvents', 'ListReports', 'ListSchedules'].map((name) => [
        name,
        () => ({ query: '?sortBy=price' }),
      ]),
    ),
    GetConsistencyProof: () => ({ query: '?first=2&second=1' }),
    ListBillingEvents: () => ({ query: '?sortBy=price' }),
    ListTenants: () => ({ query: '?sortBy=price' }),
    RunBreakglassDrill: () => ({ body: { comment: 'x'.repeat(2_001) } }),
    Login: (w) => ({ body: { username: w.requester.username, password: 'wrong', tenant: w.tenant.name } }),
    TestSiem: () => ({ body: { target: 'nobody' } }),
    UnlockUser: () => ({}),
  };
  const bySession = new Set([
    'Refresh',
    'Logout',
    'SetupMfa',
    'DisableMfa',
    'RegenerateRecoveryCodes',
    'CompletePasswordReset',
    'CompleteSetup',
  ]);
  /** Operations without input. */
  const withoutInput = new Set(['GetTreeHead', 'GetAttestation']);
  const able = audited.filter(({ method }) => !bySession.has(method.name) && !withoutInput.has(method.name));
  test.concurrent.each(titled(able))('%s leaves its event', async (_, operation) => {
    const sample = (await failing[operation.method.name]?.(world)) ?? {};
    const requestId = randomUUID();
    const caller = callerOf(operation);
    const answer = await send(caller, operation, sample, requestId);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    audits(operation, requestId, 'refused');
  });
});

test('each audited call above has left its event in the log of its tenant', async () => {
  await eventually(async () => {
    const rows = await world.superuser(
      async (db) =>
        (
          await db.query<Omit<AuditedCall, 'how'> & { outcomes: string[] }>(
            `SELECT request_id AS "requestId", action, tenant_id AS "tenantId", array_agg(outcome) AS outcomes
               FROM audit.events WHERE request_id = ANY ($1) GROUP BY request_id, action, tenant_id`,
            [auditedCalls.map(({ requestId }) => requestId)],
          )
        ).rows,
    );
    const keyOf = ({ requestId, action, tenantId }: Omit<AuditedCall, 'how'>) =>
      `${requestId} ${action} ${tenantId}`;
    const found = new Map(rows.map((row) => [keyOf(row), row.outcomes]));
    const wrong = auditedCalls
      .map((call) => ({ ...call, outcomes: found.get(keyOf(call)) ?? [] }))
      .filter(({ how, outcomes }) => !FITS[how](outcomes));
    expect(wrong).toEqual([]);
  });
});

describe('lists', () => {
  beforeAll(() => fillLists(world));
  const lists = operations.filter(({ method }) => method.request.byJsonName.has('page'));
  // Elevation operations use `limit` and named items, as in the reference.
  const sizeOf = ({ method }: Operation) =>
    method.request.byJsonName.has('pageSize') ? 'pageSize' : 'limit';
  const itemsOf = ({ method }: Operation, { body }: RestAnswer): unknown[] =>
    body[method.response.fields.find(({ repeated }) => repeated)!.jsonName] as unknown[];
  test.each(titled(lists))(
    '%s refuses paging that makes no sense, naming the field',
    async (_, operation) => {
      const sample = await samples[operation.method.name]!(world);
      const size = sizeOf(operation);
      for (const [query, pointer] of [
        ['?page=0', '/page'],
        ['?page=1.5', '/page'],
        [`?${size}=101`, `/${size}`],
        ['?sortBy=(select%201)', '/sortBy'],
        ['?sortOrder=up', '/sortOrder'],
        ['?cursor=nonsense', '/cursor'],
      ] as const) {
        const answer = await send(callerOf(operation), operation, { ...sample, query });
        expect({ query, status: answer.status }).toEqual({ query, status: 400 });
        expect((answer.body.errors as { pointer: string }[])[0]!.pointer).toBe(pointer);
      }
    },
  );

  test.each(titled(lists))('%s answers in each order that it declares', async (_, operation) => {
    const sample = await samples[operation.method.name]!(world);
    for (const sortBy of operation.method.request.byJsonName.get('sortBy')!.rules!.allowed) {
      const { status } = await send(callerOf(operation), operation, {
        ...sample,
        query: `?sortBy=${sortBy}`,
      });
      expect({ sortBy, status }).toEqual({ sortBy, status: 200 });
    }
  });

  test.each(titled(lists))('%s answers the same items page by page as by cursor', async (_, operation) => {
    const sample = await samples[operation.method.name]!(world);
    const size = sizeOf(operation);
    const byPage: unknown[] = [];
    const byCursor: unknown[] = [];
    const read = async (query: string): Promise<RestAnswer> =>
      send(callerOf(operation), operation, { ...sample, query });
    let cursor = '';
    for (let page = 1; page <= 4; page += 1) {
      byPage.push(...itemsOf(operation, await read(`?${size}=1&page=${page}`)));
      if (page > 1 && cursor === '') continue;
      const sought = await read(`?${size}=1${cursor && `&cursor=${cursor}`}`);
      const { pagination } = sought.body as { pagination?: { limit: number } };
      expect(pagination?.limit ?? sought.body.pageSize).toBe(1);
      byCursor.push(...itemsOf(operation, sought));
      cursor = (sought.body.nextCursor as string | undefined) ?? '';
    }
    // Audit events and tree heads increase during the test, newest first: only the count can be compared.
    if (/audit/.test(operation.binding.path)) expect(byPage.length).toBe(byCursor.length);
    else expect(byPage).toEqual(byCursor);
    expect(byPage).toHaveLength(4);
  });
});
