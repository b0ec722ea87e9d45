import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { methods } from '@claviger/contracts';
import { enrolSecondFactor, type StartedNetwork, startNetwork } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWorld, type World } from '../conformance/world.ts';
import { pythonEnvironment, run } from './tools.ts';

/** Operations that would end the run, with the reason. */
const EXCLUDED: Readonly<Record<string, string>> = {
  'Auth.logout': 'ends the session of the run',
  'Auth.changeMyPassword': 'ends the other sessions of the caller',
  'Auth.disableMfa': 'takes away the second factor that the run has proved',
  'Tenants.suspendTenant': 'ends all sessions of a tenant',
  'Tenants.deprovisionTenant': 'ends a tenant for good',
  'ClusterAdmin.demoteNode': 'leaves a service without a leader',
  'Agents.rotateOwnAgentToken': 'takes the place of the token of the run',
};

const OPTIONS = [
  '--checks=refused_by_design,content_type_conformance,response_schema_conformance',
  '--phases=coverage,fuzzing',
  '--mode=all',
  '--max-examples=1000',
  '--continue-on-failure',
  '--no-shrink',
  '--generation-database=none',
  '--request-timeout=60',
  '--warnings=off',
  '--no-color',
];

interface Report {
  /** Counts by mode and status, such as `positive 200`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Operations that answered 2xx. */
  readonly succeeded: readonly string[];
  readonly findings: readonly unknown[];
}

let started: StartedNetwork;
let world: World;
let scratch: string;
let document: string;
let bin: string;
let agent: { readonly id: string; readonly token: string };

beforeAll(async () => {
  bin = join(await pythonEnvironment(join(import.meta.dirname, 'requirements.txt')), 'bin');
  started = await startNetwork();
  world = await buildWorld(started.network);
  const enrolled = await world.admin.must('POST', '/api/v1/devices', { hostname: 'fuzz' });
  agent = { id: (enrolled.device as { id: string }).id, token: enrolled.agentToken as string };
  scratch = mkdtempSync(join(tmpdir(), 'claviger-fuzz-'));
  document = join(scratch, 'openapi.json');
  const { text } = await started.network.anonymous.get('/openapi.json');
  writeFileSync(document, text);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await started?.[Symbol.asyncDispose]();
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

interface Run {
  readonly token: string;
  readonly seconds: number;
  /** Ids of operations. */
  readonly operations: readonly string[];
  /** Ids in addition to those of the world. */
  readonly ids?: Readonly<Record<string, readonly string[]>>;
}

/** Sends valid and invalid requests of schemathesis for this time; returns the findings of the hooks. */
async function fuzz(name: string, { token, seconds, operations, ids }: Run): Promise<Report> {
  const [report, setup, config] = ['report', 'setup', 'config'].map((kind) =>
    join(scratch, `${name}-${kind}.${kind === 'config' ? 'toml' : 'json'}`),
  ) as [string, string, string];
  writeFileSync(
    setup,
    JSON.stringify({ document, report, ids: { ...knownIds(), ...ids }, own: ownIds(token) }),
  );
  // A file, because other users can read a command line.
  writeFileSync(config, `headers = { Authorization = "Bearer ${token}" }\n`, { mode: 0o600 });
  const { urls, caCertificate } = started.installation;
  const where = ['--url', urls[0]!, '--tls-verify', caCertificate];
  const which = operations.flatMap((id) => ['--include-operation-id', id]);
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: 'fuzz_hooks',
    PYTHONPATH: import.meta.dirname,
    CLAVIGER_FUZZ: setup,
  };
  const args = [
    '--config-file',
    config,
    'run',
    document,
    ...where,
    ...OPTIONS,
    '--max-time',
    `${seconds}`,
    ...which,
  ];
  await run(join(bin, 'schemathesis'), args, { cwd: scratch, env });
  const judged = JSON.parse(readFileSync(report, 'utf8')) as Report;
  console.log(`${name}: ${JSON.stringify(judged.answers)}, ${judged.succeeded.length} operations succeeded`);
  return judged;
}

/** Ids of the objects of the world, by the names of the fields for them. */
function knownIds(): Record<string, string[]> {
  const names = [
    'entryId',
    'resourceId',
    'moduleId',
    'roleId',
    'requestId',
    'grantId',
    'eventId',
    'siteId',
  ] as const;
  const more = ['deviceId', 'rotationId', 'apiTokenId'] as const;
  const users = [world.userId, world.approver.id, world.auditor.id];
  return {
    ...Object.fromEntries([...names, ...more].map((name) => [name, [world[name]]])),
    userId: users,
    responsibleId: users,
    ownerId: users,
    adminEntryId: [world.entryId],
  };
}

/** The ids of user, session and tenant in an access token; none in an agent token. */
function ownIds(token: string): string[] {
  const [, claims] = token.split('.');
  if (!claims) return [];
  const values = Object.values(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object);
  return values.filter(
    (value): value is string => typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value),
  );
}

function operationsOf(kind: 'tenant' | 'platform' | 'agent'): string[] {
  const described = JSON.parse(readFileSync(document, 'utf8')) as {
    paths: Record<string, Record<string, { operationId: string; security: object[] }>>;
  };
  const ids = Object.values(described.paths).flatMap((item) =>
    Object.values(item).map((each) => each.operationId),
  );
  const platform = new Set(
    [...methods.values()].filter(({ policy }) => policy?.platform).map(({ property }) => property),
  );
  const agent = new Set(
    [...methods.values()].filter(({ policy }) => policy?.agent).map(({ property }) => property),
  );
  const kindOf = (id: string): string => {
    const [, property = ''] = id.split('.');
    return platform.has(property) ? 'platform' : agent.has(property) ? 'agent' : 'tenant';
  };
  return ids.filter((id) => kindOf(id) === kind && !(id in EXCLUDED));
}

test('the excluded operations exist', () => {
  const all = (['tenant', 'platform', 'agent'] as const).flatMap(operationsOf).length;
  const described = JSON.parse(readFileSync(document, 'utf8')) as { paths: Record<string, object> };
  const total = Object.values(described.paths).flatMap((item) => Object.keys(item)).length;
  expect(total - all).toBe(Object.keys(EXCLUDED).length);
});

test('an administrator of the platform receives no server error and no refusal outside the designs', async () => {
  const { freshToken } = await started.network.createPlatformAdministrator();
  const run = { token: await freshToken(), seconds: 40, operations: operationsOf('platform') };
  const { findings, succeeded } = await fuzz('platform', run);
  expect(findings).toEqual([]);
  expect(succeeded.length).toBeGreaterThan(run.operations.length / 3);
});

test('so does the agent of a device', async () => {
  const run = {
    token: agent.token,
    seconds: 20,
    operations: operationsOf('agent'),
    ids: { id: [agent.id], agentId: [agent.id] },
  };
  const { findings, succeeded } = await fuzz('agent', run);
  expect(findings).toEqual([]);
  expect(succeeded.length).toBeGreaterThan(0);
});

// Last, because it changes and deletes objects, including devices and users of the world.
test('so does an administrator of a tenant', async () => {
  const admin = await world.tenant.createUser([
    'administrator',
    'approver',
    'auditor',
    'operator',
    'requester',
  ]);
  await enrolSecondFactor(admin.client);
  const run = { token: await admin.freshToken(), seconds: 150, operations: operationsOf('tenant') };
  const { findings, succeeded } = await fuzz('administrator', run);
  expect(findings).toEqual([]);
  // With unknown ids or an ended session the fuzzer would find nothing.
  expect(succeeded.length).toBeGreaterThan(run.operations.length / 3);
});
