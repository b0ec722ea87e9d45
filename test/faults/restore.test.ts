import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandOutcome, runInProcess } from '@claviger/cli/test-in-process';
import { createTemporaryDataDir, type Installation } from '@claviger/installation';
import {
  enrolSecondFactor,
  eventually,
  type RestClient,
  type StartedNetwork,
  startNetwork,
} from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPeople, type People, requestAccess } from '../support/main-job.ts';

const options = {
  // The steps of a restore may reach either replica.
  replicas: { auth: 2, audit: 2 },
  // Only this detects that a log without new events lost its tail.
  overrides: { audit: { sealing: { compareHeadsMs: 500 } } },
};

let dataDir: string;
let started: StartedNetwork | undefined;
beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
  started = await startNetwork({ dataDir, ...options });
});
afterAll(async () => {
  await started?.[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Stops everything, changes the files of PostgreSQL, and starts again. Redis and the tree heads are kept. */
async function whileStopped(work: () => void): Promise<void> {
  const { installation } = started!;
  const former = { port: new URL(installation.url).port };
  await started![Symbol.asyncDispose]();
  started = undefined;
  work();
  started = await startNetwork({ dataDir, ...options, publicPort: Number(former.port) });
}

async function whilePostgresIsStopped(work: () => void): Promise<void> {
  const { postgres } = started!.installation.servers;
  await postgres.stop();
  work();
  await postgres.start();
}

const postgresFiles = () => join(dataDir, 'parts', 'postgres');
const backup = () => join(dataDir, 'backup');
const copy = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true });
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

const claviger = (installation: Installation, ...args: string[]): Promise<CommandOutcome> =>
  runInProcess([...args, '--operator-config', installation.operator.configFile, '--json'], {
    env: { PATH: process.env.PATH ?? '', HOME: dataDir },
  });

/**
 * The status of a call with a session or token, repeated until the services behind the gateway are reached.
 */
const asks = async (client: RestClient): Promise<string> => {
  const { status, body } = await client.get('/api/v1/users/me');
  return `${status} ${(body.code as string | undefined) ?? ''}`.trim();
};

test('H-262 after a restore nothing is served until it is finished, and ended access stays ended', async () => {
  const { network } = started!;
  const tenant = await network.createTenant();
  const people: People = await createPeople(tenant);
  const { admin } = people;
  const entry = await admin.must('POST', '/api/v1/vault/entries', {
    name: 'root',
    type: 'note',
    secret: 'value',
  });
  const entryId = entry.id as string;
  const delivered = await approvedGrant(people, entryId);
  const token = await admin.must('POST', '/api/v1/api-tokens', { name: 'robot' });
  const robot = network.anonymous.as(token.token as string);
  const waiting = await requestAccess(people, entryId);
  const { recoveryCodes } = await enrolSecondFactor((await tenant.createUser(['auditor'])).client);
  await admin.must('POST', `/api/v1/users/${people.requester.id}/password/reset`, {});
  // From before the backup: these must not become valid again.
  const sessions = [tenant.admin.token, people.requester.token].map((bearer) => network.anonymous.as(bearer));

  await whilePostgresIsStopped(() => copy(postgresFiles(), backup()));
  await allReady(started!.installation);

  // Changes after the backup that the restore must not undo.
  await eventually(async () => expect(await asks(robot)).toBe('200'));
  await admin.must('DELETE', `/api/v1/api-tokens/${(token.apiToken as { id: string }).id}`);
  await people.requester.client.must('GET', `/api/v1/grants/${delivered}/credentials`);
  await people.approver.client.must('POST', `/api/v1/requests/${waiting}/deny`, { comment: 'no' });
  await sealed(admin, 'request.denied');
  expect(await asks(robot)).toContain('401');

  await whileStopped(() => copy(backup(), postgresFiles()));
  const { installation } = started!;

  await eventually(async () => {
    const answers = [await asks(admin), await asks(robot)];
    expect(answers).toEqual(['503 restore_unfinished', '503 restore_unfinished']);
    const retrieved = await admin.post(`/api/v1/vault/entries/${entryId}/retrieve`, { reason: 'x' });
    expect(retrieved.status).toBe(503);
  });
  const state = await claviger(installation, 'restore', 'status');
  expect([
    state.code,
    JSON.parse(state.stdout).services.map((each: { epoch: number }) => each.epoch),
  ]).toEqual([1, [0, 0, 0, 0]]);

  // The command requires a confirmation.
  expect(await claviger(installation, 'restore', 'finish')).toMatchObject({ code: 2, stdout: '' });
  const finished = await claviger(installation, 'restore', 'finish', '--yes');
  expect(finished.stderr).toContain('ended the access of');
  const { ended } = JSON.parse(finished.stdout) as { ended: Record<string, number> };
  expect(ended).toMatchObject({ requests: 1, grants: 1, entitlements: 1, oneTimeLinks: expect.any(Number) });
  expect(ended.sessions).toBeGreaterThanOrEqual(4);
  expect(ended.oneTimeLinks).toBeGreaterThanOrEqual(1);
  expect(ended.recoveryCodes).toBe(recoveryCodes.length);
  await allReady(installation);

  for (const client of [robot, ...sessions])
    await eventually(async () => expect(await asks(client)).toContain('401'));
  const fresh = network.anonymous.as(await tenant.signIn('admin', tenant.admin.password));
  const { items: grants } = await fresh.must('GET', '/api/v1/grants');
  expect((grants as { status: string }[]).map(({ status }) => status)).toEqual(['revoked']);
  const request = await fresh.must('GET', `/api/v1/requests/${waiting}`);
  expect(request.status).toBe('expired');
  // The log continues and contains the restore.
  await eventually(async () => {
    const { items } = await fresh.must(
      'GET',
      '/api/v1/audit/events?action=restore.access-ended&pageSize=100',
    );
    const services = (items as { service: string; sequence?: number }[]).filter(
      (event) => event.sequence !== undefined,
    );
    expect(services.map(({ service }) => service).toSorted()).toEqual(['audit', 'auth', 'vault', 'workflow']);
  });
  // A later start reports no problem.
  await installation.restart('audit-1');
  expect((await claviger(installation, 'restore', 'status')).code).toBe(0);
});

test('H-262 a database that is restored while the services run is not served either', async () => {
  const { network, installation } = started!;
  const tenant = await network.createTenant();
  const { client: admin, password } = tenant.admin;
  const note = (name: string) =>
    admin.must('POST', '/api/v1/vault/entries', { name, type: 'note', secret: 'value' });
  await note('before');
  await whilePostgresIsStopped(() => copy(postgresFiles(), backup()));
  await eventually(async () => expect(await asks(admin)).toBe('200'));
  await note('after');
  await sealed(admin, 'vault.entry.created', 2);

  await whilePostgresIsStopped(() => copy(backup(), postgresFiles()));
  await eventually(async () => expect(await asks(admin)).toBe('503 restore_unfinished'));
  await eventually(async () => {
    const { stdout } = await claviger(installation, 'restore', 'status');
    for (const { problem } of (JSON.parse(stdout) as { services: { problem: string }[] }).services)
      expect(problem).toContain('restored to an older state');
  });

  expect((await claviger(installation, 'restore', 'finish', '--yes')).code).toBe(0);
  await allReady(installation);
  await eventually(async () => expect(await asks(admin)).toContain('401'));
  const fresh = network.anonymous.as(await tenant.signIn('admin', password));
  const { items } = await fresh.must('GET', '/api/v1/vault/entries');
  expect((items as { name: string }[]).map(({ name }) => name)).toEqual(['before']);
  await sealed(fresh, 'restore.access-ended', 4);
});

/**
 * Waits until a tree head, which is also stored outside the database, covers this many events of an action.
 */
async function sealed(auditor: RestClient, action: string, count = 1): Promise<void> {
  await eventually(async () => {
    const { items } = await auditor.must('GET', `/api/v1/audit/events?action=${action}&pageSize=100`);
    const sequences = (items as { sequence?: number }[]).filter(({ sequence }) => sequence !== undefined);
    expect(sequences.length).toBeGreaterThanOrEqual(count);
  });
}

/**
 * Replicas that no step of the restore reached learn of its end within seconds, and refuse calls until then.
 */
async function allReady({ nodes }: Installation): Promise<void> {
  for (const { healthUrl } of nodes)
    await eventually(async () => expect((await fetch(`${healthUrl}/ready`)).status).toBe(200));
}

async function approvedGrant(people: People, entryId: string): Promise<string> {
  const request = await requestAccess(people, entryId);
  const approved = await people.approver.client.must('POST', `/api/v1/requests/${request}/approve`, {});
  const grantId = approved.grantId as string;
  await eventually(async () => {
    const { status } = await people.requester.client.must('GET', `/api/v1/grants/${grantId}`);
    expect(status).toBe('active');
  });
  return grantId;
}
