import { randomUUID } from 'node:crypto';
import { methodOf, redact } from '@claviger/contracts';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { ClavigerError } from '@claviger/errors';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Elevations, promptOf, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { bind, codeOf, type Tenant } from '../../test-support.ts';
import { agentElevationsService } from '../registry.ts';
import { changeRuleSet } from '../rules/change-rule-set.ts';
import type { Decider } from '../rules/decider.ts';

let service: Elevations;
let tenant: Tenant;

beforeAll(async () => {
  service = await startElevations();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.decider.verdict = 'pending';
  service.decider.minutes = null;
  service.decider.stage = 'rules';
  service.devices.away = false;
});

const actions = async (id: string) => (await service.events(id)).map((event) => event.action);

test('a prompt without a matching rule waits for a person, with its facts, event and evaluation', async () => {
  const agent = service.devices.add(tenant.tenantId, { siteId: randomUUID() });
  const prompt = promptOf(agent.userId);
  const { id, status, httpStatus } = await service.elevations.ingestElevationRequest(agent, prompt);
  expect({ status, httpStatus }).toEqual({ status: 'pending', httpStatus: 201 });
  const { request } = await service.elevations.getElevationRequest(tenant.user(TECHNICIAN), { id: id! });
  expect(request).toMatchObject({
    flowType: 'uac_intercept',
    status: 'pending',
    deviceId: agent.userId,
    deviceHostname: agent.userName,
    siteId: agent.device!.siteId,
    siteName: 'HQ',
    subjectUsername: prompt.subjectUsername,
    targetExecutablePath: prompt.targetExecutablePath,
    decisionSource: undefined,
    ruleSetVersion: '7',
  });
  expect(Date.parse(request!.expiresAt!) - Date.parse(request!.requestedAt!)).toBeGreaterThan(86_000_000);
  expect(await actions(id!)).toEqual(['elevation.requested']);
  const kept = await service.scratch.query(`SELECT kind, verdict, label FROM ${service.schema}.evaluations
    WHERE request_id = '${id}'`);
  expect(kept).toMatchObject([{ kind: 'elevation', verdict: 'pending' }]);
});

test('only a digest of a command line is stored: it can contain a password', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent, { commandLine: 'setup.exe /p s3cret-of-sarah' });
  const everything = await service.scratch.query(
    `SELECT to_jsonb(r)::text AS t FROM ${service.schema}.elevation_requests r WHERE id = '${id}'
     UNION ALL SELECT to_jsonb(e)::text FROM ${service.schema}.evaluations e WHERE request_id = '${id}'
     UNION ALL SELECT payload FROM ${service.schema}.outbox`,
  );
  expect(JSON.stringify(everything)).not.toContain('s3cret-of-sarah');
  expect((await service.row(id)).command_line_length).toBe(28);
});

test('the event of a refused report does not contain the command line', () => {
  const { request } = methodOf(elevation.AgentElevationsService.ingestElevationRequest.path);
  const kept = redact(request, { ...promptOf(randomUUID()), commandLine: 'setup.exe /p s3cret-of-sarah' });
  expect(JSON.stringify(kept)).not.toContain('s3cret-of-sarah');
  expect(Object.keys(kept)).toEqual(expect.arrayContaining(['subject_username']));
});

test('a rule approves for its own duration or the default, and denies at once', async () => {
  const agent = service.devices.add(tenant.tenantId);
  service.decider.verdict = 'auto_approved';
  const minutesOf = async (id: string) => {
    const row = await service.row(id);
    return Math.round(((row.expires_at as Date).getTime() - (row.decided_at as Date).getTime()) / 60_000);
  };
  const byDefault = await service.prompt(agent);
  expect(await minutesOf(byDefault)).toBe(15);
  service.decider.minutes = 45;
  service.decider.stage = 'software_policy';
  const byRule = await service.prompt(agent);
  expect(await minutesOf(byRule)).toBe(45);
  expect(await service.row(byRule)).toMatchObject({
    status: 'auto_approved',
    decision_source: 'software_policy',
    matched_policy_name: 'a rule',
    pam_rule_id: null,
  });
  service.decider.verdict = 'denied';
  const denied = await service.elevations.ingestElevationRequest(agent, promptOf(agent.userId));
  expect(denied).toMatchObject({ status: 'denied', httpStatus: 201 });
  expect((await service.row(denied.id!)).expires_at).toBeNull();
});

test('an ignored prompt answers 200 without an id and leaves an event, but no row', async () => {
  const agent = service.devices.add(tenant.tenantId);
  service.decider.verdict = 'ignored';
  expect(await service.elevations.ingestElevationRequest(agent, promptOf(agent.userId))).toEqual({
    id: undefined,
    status: 'ignored',
    httpStatus: 200,
  });
  expect(await actions(agent.userId)).toEqual(['elevation.requested']);
  const { requests } = await service.elevations.listElevationRequests(tenant.user(TECHNICIAN));
  expect(requests).toEqual([]);
});

test('H-190 an agent reports only for its own device: another device is 403, an unknown one is 404', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const other = service.devices.add(tenant.tenantId);
  const foreign = service.devices.add(randomUUID());
  const report = (id: string) => codeOf(service.elevations.ingestElevationRequest(agent, promptOf(id)));
  expect(await report(other.userId)).toBe('other_agent');
  expect(await report(foreign.userId)).toBe('not_found');
  expect(await report(randomUUID())).toBe('not_found');
  expect(await report('no id')).toBe('not_found');
  const id = await service.prompt(other);
  expect(
    await codeOf(service.elevations.getAgentElevationRequest(agent, { id: agent.userId, requestId: id })),
  ).toBe('not_found');
});

test('the rules do not receive unknown facts; an empty signer means not signed', async () => {
  const agent = service.devices.add(tenant.tenantId);
  await service.prompt(agent, {
    targetExecutableHash: '',
    targetExecutableSigner: '',
    parentImage: '',
    subjectUsername: 'acme\\nobody',
  });
  const facts = service.decider.asked.at(-1)!;
  expect(facts).toMatchObject({ signer: null, subjectUserId: null, siteId: null });
  expect(Object.keys(facts)).not.toEqual(expect.arrayContaining(['hash']));
  expect(Object.keys(facts)).not.toEqual(expect.arrayContaining(['parentImage']));
  expect(Object.keys(facts)).not.toEqual(expect.arrayContaining(['groups']));
});

test('a device with too many waiting prompts is refused, other devices and prompts that a rule decides are not', async () => {
  const [agent, other] = [service.devices.add(tenant.tenantId), service.devices.add(tenant.tenantId)];
  const id = await service.prompt(agent);
  const table = `${service.schema}.elevation_requests`;
  await service.scratch.query(
    `INSERT INTO ${table} SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).*
     FROM ${table} AS r, generate_series(1, 499) WHERE r.id = $1`,
    [id],
  );
  const report = (of = agent) => codeOf(service.elevations.ingestElevationRequest(of, promptOf(of.userId)));
  const refused = () => service.elevations.ingestElevationRequest(agent, promptOf(agent.userId));
  await expect(refused()).rejects.toMatchObject({ code: 'too_many_waiting', retryAfterSeconds: 60 });
  expect(await report(other)).toBe('ok');
  await service.scratch.query(
    `SET session_replication_role = replica;
     UPDATE ${table} SET expires_at = now() + interval '50 seconds'
     WHERE id = (SELECT id FROM ${table} WHERE device_id = '${agent.userId}' AND id <> '${id}' LIMIT 1);
     SET session_replication_role = DEFAULT`,
  );
  const { retryAfterSeconds } = (await refused().catch((error: unknown) => error)) as ClavigerError;
  expect(retryAfterSeconds).toBeGreaterThan(0);
  expect(retryAfterSeconds).toBeLessThanOrEqual(50);
  service.decider.verdict = 'denied';
  expect(await report()).toBe('ok');
  service.decider.verdict = 'pending';
  const technician = tenant.user(TECHNICIAN);
  await service.elevations.respondToElevation(technician, { id, decision: 'deny' });
  expect(await report()).toBe('ok');
  await service.scratch.query(
    `SET session_replication_role = replica;
     UPDATE ${table} SET expires_at = now() - interval '1 second' WHERE device_id = '${agent.userId}'`,
  );
  expect(await report()).toBe('ok');
});

test('a malformed digest is stored as reported', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent, { targetExecutableHash: 'not hex' });
  expect((await service.row(id)).target_executable_hash).toBe('not hex');
});

test('while auth is unavailable, a prompt is recorded with an unknown subject', async () => {
  const agent = service.devices.add(tenant.tenantId);
  service.devices.away = true;
  const id = await service.prompt(agent);
  expect(Object.keys(service.decider.asked.at(-1)!)).not.toEqual(expect.arrayContaining(['subjectUserId']));
  expect((await service.row(id)).status).toBe('pending');
});

test('a rule that changes during the decision for several possible subjects decides for none of them', async () => {
  const agent = service.devices.add(tenant.tenantId);
  service.devices.link('acme\\twins', { possibleUserIds: [randomUUID(), randomUUID()] });
  const body = {
    id: randomUUID(),
    name: 'signed',
    verdict: 'auto_deny' as const,
    matchSigner: 'Mozilla Corporation',
    authorIds: [],
  };
  const change = (verdict: 'auto_deny' | 'auto_approve') =>
    service.deps.database.withTenant(tenant.tenantId, (tx) =>
      changeRuleSet(tx, tenant.tenantId, [{ kind: 'rule', objectId: body.id, body: { ...body, verdict } }]),
    );
  await change('auto_deny');
  const decider: Decider = {
    snapshot: async (tenantId) => {
      const snapshot = await service.deps.decider.snapshot(tenantId);
      await change('auto_approve');
      return snapshot;
    },
    decide: service.deps.decider.decide,
  };
  const handlers = bind(
    elevation.AgentElevationsService,
    agentElevationsService({ ...service.deps, decider, notifier: service.notifier }),
  );
  const prompt = { ...promptOf(agent.userId), subjectUsername: 'acme\\twins' };
  const { id, status } = await handlers.ingestElevationRequest(agent, prompt);
  expect(status).toBe('denied');
  const kept = await service.scratch.query(
    `SELECT rule_set_version::int FROM ${service.schema}.evaluations WHERE request_id = $1`,
    [id],
  );
  expect(kept).toEqual([{ rule_set_version: 1 }]);
});

test('a name of two people is not treated as unowned', async () => {
  const agent = service.devices.add(tenant.tenantId);
  service.devices.link('acme\\twins', { possibleUserIds: [randomUUID(), randomUUID()] });
  await service.prompt(agent, { subjectUsername: 'acme\\twins' });
  expect(Object.keys(service.decider.asked.at(-1)!)).not.toEqual(expect.arrayContaining(['subjectUserId']));
});

test('H-191 a rule that cannot be evaluated leaves the prompt pending, never approved', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const rule = {
    id: randomUUID(),
    name: 'broken',
    verdict: 'auto_approve',
    matchSigner: 'Mozilla Corporation',
    timeWindow: { start: '00:00', end: '23:59', timezone: 'Nowhere/Atlantis' },
    authorIds: [],
  };
  await service.scratch.query(
    `INSERT INTO ${service.schema}.rule_set_heads (tenant_id, version) VALUES ($1, 1)`,
    [tenant.tenantId],
  );
  await service.scratch.query(
    `INSERT INTO ${service.schema}.rule_revisions (tenant_id, kind, object_id, from_version, body)
     VALUES ($1, 'rule', $2, 1, $3)`,
    [tenant.tenantId, rule.id, JSON.stringify(rule)],
  );
  const handlers = bind(
    elevation.AgentElevationsService,
    agentElevationsService({ ...service.deps, notifier: service.notifier }),
  );
  const answer = await handlers.ingestElevationRequest(agent, promptOf(agent.userId));
  expect(answer).toMatchObject({ status: 'pending', httpStatus: 201 });
  const kept = await service.scratch.query(
    `SELECT because FROM ${service.schema}.evaluations WHERE request_id = $1`,
    [answer.id],
  );
  expect(kept).toEqual([{ because: 'failed' }]);
});
