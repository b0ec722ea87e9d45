import { randomUUID } from 'node:crypto';
import { methodOf } from '@claviger/contracts';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Elevations, promptOf, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { bind, codeOf, type Tenant } from '../../test-support.ts';
import { agentElevationsService } from '../registry.ts';
import { endElevations } from './end-elevations.ts';

let service: Elevations;
let tenant: Tenant;

beforeAll(async () => {
  service = await startElevations({ fallbackMs: 200 });
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.decider.verdict = 'auto_approved';
  service.settings.elevation.actuatorEnabled = true;
});

const technician = () => tenant.user(TECHNICIAN);
type Agent = ReturnType<Elevations['devices']['add']>;
const fetchNow = async (agent: Agent, waitSeconds = 0) =>
  (await service.elevations.fetchAgentCommands(agent, { id: agent.userId, waitSeconds })).commands;
const actuate = (agent: Agent, id: string, more: object = {}) =>
  service.elevations.actuateElevation(technician(), { id: agent.userId, elevationRequestId: id, ...more });
const report = (agent: Agent, commandId: string, outcome: string) =>
  service.elevations.reportCommandOutcome(agent, { id: agent.userId, commandId, outcome });

test('H-200 a command contains only its id, its type, the request and a time limit', async () => {
  const { response } = methodOf(elevation.AgentElevationsService.fetchAgentCommands.path);
  const command = response.byJsonName.get('commands')!.message!;
  expect([...command.byJsonName.keys()].sort()).toEqual(['elevationRequestId', 'id', 'timeoutMs', 'type']);
  const columns = await service.scratch.query<{ column_name: string }>(
    `SELECT column_name FROM information_schema.columns
     WHERE table_schema = '${service.schema}' AND table_name = 'device_commands'`,
  );
  expect(columns.map((each) => each.column_name).join(' ')).not.toMatch(
    /password|secret|credential|user|path/,
  );
});

test('an approved elevation is actuated once; its command is delivered until the outcome is reported', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  const answer = await actuate(agent, id, { timeoutMs: 9_000 });
  expect(answer).toEqual({ success: true, commandId: expect.any(String), elevationRequestId: id });
  expect(await codeOf(actuate(agent, id))).toBe('race_lost');
  const command = {
    id: answer.commandId,
    type: 'actuate_elevation',
    elevationRequestId: id,
    timeoutMs: 9_000,
  };
  expect(await fetchNow(agent)).toEqual([command]);
  expect(await fetchNow(agent)).toEqual([command]);
  expect(await report(agent, answer.commandId, 'succeeded')).toEqual({
    id: answer.commandId,
    outcome: 'succeeded',
  });
  expect(await report(agent, answer.commandId, 'succeeded')).toEqual({
    id: answer.commandId,
    outcome: 'succeeded',
  });
  expect(await codeOf(report(agent, answer.commandId, 'failed'))).toBe('outcome_reported');
  expect(await fetchNow(agent)).toEqual([]);
  const { request } = await service.elevations.getElevationRequest(technician(), { id });
  expect(request).toMatchObject({ status: 'actuating', actuationOutcome: 'succeeded' });
});

test('actuation is refused when it is disabled, if the elevation is pending or expired, and for a wrong or decommissioned device', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const other = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  expect(await codeOf(actuate(other, id))).toBe('not_found');
  expect(await codeOf(actuate(agent, randomUUID()))).toBe('not_found');
  expect(await codeOf(actuate(service.devices.add(randomUUID()), id))).toBe('not_found');
  service.decider.verdict = 'pending';
  expect(await codeOf(actuate(agent, await service.prompt(agent)))).toBe('wrong_status');
  service.settings.elevation.actuatorEnabled = false;
  expect(await codeOf(actuate(agent, id))).toBe('actuator_disabled');
  service.settings.elevation.actuatorEnabled = true;
  await service.lapse(id);
  expect(await codeOf(actuate(agent, id))).toBe('wrong_status');
  service.devices.decommission(agent.userId);
  expect(await codeOf(actuate(agent, id))).toBe('device_decommissioned');
});

test('a technician of another site cannot actuate', async () => {
  const agent = service.devices.add(tenant.tenantId, { siteId: randomUUID() });
  const id = await service.prompt(agent);
  const kept = { ...technician(), siteIds: [randomUUID()] };
  expect(
    await codeOf(service.elevations.actuateElevation(kept, { id: agent.userId, elevationRequestId: id })),
  ).toBe('site_denied');
});

test('a waiting agent receives a command as soon as it is queued', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  const waiting = fetchNow(agent, 20);
  await actuate(agent, id);
  expect(await waiting).toMatchObject([{ type: 'actuate_elevation', elevationRequestId: id }]);
});

test('a notifier that lost its connection finds commands by the periodic query, and listens again later', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  const waiting = fetchNow(agent, 20);
  await eventually(async () => {
    const cut = await service.scratch.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'`,
    );
    if (cut.length === 0) throw new Error('no connection is listening yet');
  });
  await actuate(agent, id);
  expect(await waiting).toHaveLength(1);
  await eventually(async () => {
    const listening = await service.scratch.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'`,
    );
    if (listening.length === 0) throw new Error('no connection is listening yet');
  });
});

test('the periodic query finds the one device with a command among seventy thousand waiting ones', async () => {
  const agent = service.devices.add(tenant.tenantId);
  await actuate(agent, await service.prompt(agent));
  const aborted = new AbortController();
  const options = { timeoutMs: 120_000, signal: aborted.signal };
  const waiting = Array.from({ length: 70_000 }, () =>
    service.notifier.wait(randomUUID(), { ...options, signal: new AbortController().signal }),
  );
  // The notification of its command was earlier: only the query can find it.
  using found = service.notifier.wait(agent.userId, options);
  const timer = setTimeout(() => aborted.abort(), 60_000);
  try {
    expect(await found.notified).toBe(true);
  } finally {
    clearTimeout(timer);
    for (const each of waiting) each[Symbol.dispose]();
  }
});

test('waiting agents are answered when the process ends, and later calls do not wait', async () => {
  const own = await startElevations();
  try {
    const ownTenant = own.tenant();
    const agent = own.devices.add(ownTenant.tenantId);
    const waiting = own.elevations.fetchAgentCommands(agent, { id: agent.userId, waitSeconds: 20 });
    own.notifier.stop();
    expect((await waiting).commands).toEqual([]);
    const later = await own.elevations.fetchAgentCommands(agent, { id: agent.userId, waitSeconds: 20 });
    expect(later.commands).toEqual([]);
  } finally {
    await own[Symbol.asyncDispose]();
  }
});

test('a revocation queues the command to undo for a device with the go signal, and withdraws the go signal', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const [told, untold] = [await service.prompt(agent), await service.prompt(agent)];
  await actuate(agent, told);
  for (const id of [told, untold])
    await service.elevations.revokeElevation(technician(), { id, reason: 'window cancelled' });
  const commands = await fetchNow(agent);
  expect(commands).toMatchObject([{ type: 'revoke_elevation', elevationRequestId: told }]);
  await report(agent, commands[0]!.id, 'succeeded');
  expect(await fetchNow(agent)).toEqual([]);
  expect(await codeOf(service.elevations.revokeElevation(technician(), { id: told, reason: 'again' }))).toBe(
    'wrong_status',
  );
});

test('no go signal is delivered for an elevation that has expired by the database clock', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  await actuate(agent, id);
  await service.lapse(id);
  expect(await fetchNow(agent)).toEqual([]);
  expect(
    (await service.elevations.getAgentElevationRequest(agent, { id: agent.userId, requestId: id })).status,
  ).toBe('expired');
});

test('an agent can neither fetch nor report a command of another device', async () => {
  const [agent, other] = [service.devices.add(tenant.tenantId), service.devices.add(tenant.tenantId)];
  const { commandId } = await actuate(agent, await service.prompt(agent));
  expect(await fetchNow(other)).toEqual([]);
  expect(await codeOf(report(other, commandId, 'succeeded'))).toBe('not_found');
  expect(await codeOf(service.elevations.fetchAgentCommands(other, { id: agent.userId }))).toBe(
    'other_agent',
  );
});

test('a suspended tenant has no active elevation, and its commands are not delivered', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const [told, untold] = [await service.prompt(agent), await service.prompt(agent)];
  await actuate(agent, told);
  await service.deps.database.withTenant(tenant.tenantId, async (tx) => {
    await tx
      .insertInto('tenant_standings')
      .values({ tenant_id: tenant.tenantId, standing: 'suspended', version: 1, active_since: null })
      .execute();
    const end = { tenantId: tenant.tenantId, endedBy: '', reason: 'The tenant was suspended.' };
    await endElevations(service.deps, tx, end);
  });
  for (const id of [told, untold]) expect((await service.row(id)).status).toBe('revoked');
  expect(await fetchNow(agent)).toEqual([]);
  expect((await service.commands(told)).map((each) => each.type)).toEqual([
    'actuate_elevation',
    'revoke_elevation',
  ]);
});

test('a go signal that was read is not delivered after its revocation has been answered', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  await actuate(agent, id);
  const { database } = service.deps;
  let turn = 0;
  // A replica that pauses between its read and its answer.
  const slow: typeof database = {
    ...database,
    withTenant: async (tenantId, work) => {
      if (turn++ === 0)
        await service.elevations.revokeElevation(technician(), { id, reason: 'window cancelled' });
      return database.withTenant(tenantId, work);
    },
  };
  const agents = agentElevationsService({ ...service.deps, database: slow, notifier: service.notifier });
  const { fetchAgentCommands } = bind(elevation.AgentElevationsService, agents);
  const { commands } = await fetchAgentCommands(agent, { id: agent.userId });
  expect(commands.map((each) => each.type)).toEqual(['revoke_elevation']);
});

test('no elevation becomes active after a suspension has been answered; revocation commands are still delivered', async () => {
  const agent = service.devices.add(tenant.tenantId);
  service.decider.verdict = 'pending';
  const waiting = await service.prompt(agent);
  service.decider.verdict = 'auto_approved';
  const approved = await service.prompt(agent);
  const tool = { toolName: 'shell', riskTier: 1, actionDigest: 'e'.repeat(64), reason: 'why' };
  const asker = technician();
  const action = (await service.elevations.requestToolAction(asker, tool)).request!.id;
  await service.deps.database.withTenant(tenant.tenantId, (tx) =>
    tx
      .insertInto('tenant_standings')
      .values({ tenant_id: tenant.tenantId, standing: 'suspended', version: 1, active_since: null })
      .execute(),
  );
  const refused = [
    service.elevations.respondToElevation(technician(), { id: waiting, decision: 'approve' }),
    actuate(agent, approved),
    service.elevations.claimToolAction(asker, { id: action, actionDigest: tool.actionDigest }),
    service.elevations.ingestElevationRequest(agent, promptOf(agent.userId)),
    service.elevations.requestElevation(asker, { deviceId: agent.userId, reason: 'patch' }),
    service.elevations.requestToolAction(asker, tool),
  ];
  expect(await Promise.all(refused.map(codeOf))).toEqual(refused.map(() => 'tenant_suspended'));
  expect((await service.row(waiting)).status).toBe('pending');
  expect(await service.commands(approved)).toEqual([]);
  expect(
    await codeOf(service.elevations.revokeElevation(technician(), { id: approved, reason: 'suspended' })),
  ).toBe('ok');
});
