import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { connectNetwork, type Network, type TestTenant, type TestUser } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type AgentHome, agentHome, startWire } from '../support/agent.ts';
import { steppedUp } from '../support/breakglass.ts';
import { promptOf } from '../support/elevation.ts';

let network: Network;
let tenant: TestTenant;
let administrator: TestUser;
let approver: TestUser;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
  [administrator, approver] = await Promise.all([
    steppedUp(tenant, ['administrator']),
    steppedUp(tenant, ['approver']),
  ]);
});
afterAll(async () => network?.[Symbol.asyncDispose]());

interface Device extends Disposable {
  readonly id: string;
  readonly token: string;
  readonly home: AgentHome;
}

async function enrol(url?: string): Promise<Device> {
  const { device, agentToken } = await administrator.client.must('POST', '/api/v1/devices', {
    hostname: `WIN-${randomUUID().slice(0, 8)}`,
  });
  const { id } = device as { id: string };
  const access = url === undefined ? network.access : { ...network.access, urls: [url] };
  const home = agentHome(access, id, agentToken as string);
  return { id, token: agentToken as string, home, [Symbol.dispose]: () => home[Symbol.dispose]() };
}

const approve = (id: unknown) =>
  approver.client.must('POST', `/api/v1/pam/elevation-requests/${id}/respond`, { decision: 'approve' });
const actuate = (device: Device, id: unknown) =>
  approver.client.must('POST', `/api/v1/devices/${device.id}/actuate-elevation`, { elevationRequestId: id });
const requestOf = (id: unknown) => approver.client.must('GET', `/api/v1/pam/elevation-requests/${id}`);

test('a prompt is reported and approved, and the device carries it out once and reports the outcome', async () => {
  using device = await enrol();
  const agent = device.home.start([{ prompt: promptOf(), await: 'actuation' }], '--until-done');
  const { id, status } = await agent.told('reported');
  expect(status).toBe('pending');
  await approve(id);
  const { commandId } = await actuate(device, id);
  expect(await agent.exitCode).toBe(0);
  // The agent may have waited for a busy service in between.
  const told = agent.events.filter((event) => event !== 'away' && event !== 'back');
  expect(told).toEqual(['started', 'reported', 'command', 'actuated', 'outcome', 'stopped']);
  expect(agent.lines.find(({ event }) => event === 'command')).toMatchObject({
    commandId,
    type: 'actuate_elevation',
    elevationRequestId: id,
  });
  expect(await requestOf(id)).toMatchObject({ status: 'actuating', actuationOutcome: 'succeeded' });
});

test('an agent killed before its report receives the command again and does not repeat it', async () => {
  using device = await enrol();
  const first = device.home.start([{ prompt: promptOf(), reportAfterSeconds: 3_600 }]);
  const { id } = await first.told('reported');
  await approve(id);
  const { commandId } = await actuate(device, id);
  await first.told('actuated');
  // If killed before the outcome is on disk, the agent would report that the outcome is unknown.
  const journal = new DatabaseSync(`${device.home.tokenFile}.state`, { readOnly: true, timeout: 5_000 });
  await expect
    .poll(
      () => journal.prepare('SELECT outcome FROM commands WHERE id = ?').get(String(commandId))?.outcome,
      {
        timeout: 50_000,
      },
    )
    .toBe('succeeded');
  journal.close();
  first.kill();
  await first.exitCode;
  expect(await requestOf(id)).toMatchObject({ actuationOutcome: null });
  const second = device.home.start([]);
  expect(await second.told('repeated')).toMatchObject({ commandId });
  expect(await second.told('outcome')).toMatchObject({ commandId, outcome: 'succeeded' });
  second.stop();
  expect(await second.exitCode).toBe(0);
  expect(second.events).not.toContain('actuated');
  expect(await requestOf(id)).toMatchObject({ status: 'actuating', actuationOutcome: 'succeeded' });
});

test('an agent without a gateway keeps trying, and then carries out what was decided in the meantime', async () => {
  await using wire = await startWire(network.access.urls[0]!);
  using device = await enrol(wire.url);
  const agent = device.home.start(
    [{ prompt: promptOf(), await: 'actuation', timeoutSeconds: 600 }],
    '--until-done',
  );
  const { id } = await agent.told('reported');
  wire.cut();
  await agent.told('away');
  await approve(id);
  await actuate(device, id);
  wire.mend();
  expect(await agent.exitCode).toBe(0);
  expect(agent.events.filter((event) => event === 'actuated')).toHaveLength(1);
  expect(agent.events).toContain('back');
  expect(await requestOf(id)).toMatchObject({ actuationOutcome: 'succeeded' });
});

test('an agent whose token is revoked stops and receives nothing more', async () => {
  using device = await enrol();
  const agent = device.home.start([{ prompt: promptOf(), await: 'actuation', timeoutSeconds: 600 }]);
  const { id } = await agent.told('reported');
  await administrator.client.must('DELETE', `/api/v1/devices/${device.id}/agent-token`);
  expect(await agent.exitCode).toBe(3);
  await approve(id);
  await actuate(device, id);
  const commands = `/api/v1/agents/${device.id}/commands`;
  expect((await network.anonymous.as(device.token).get(commands)).status).toBe(401);
  expect(agent.events).not.toContain('command');
});

test('an agent rotates its own token, and the first use of the new one ends the former one', async () => {
  using device = await enrol();
  const script = [{ rotateToken: true }, { prompt: promptOf() }];
  const agent = device.home.start(script, '--until-done');
  expect(await agent.exitCode).toBe(0);
  expect(agent.events).toEqual(expect.arrayContaining(['token-rotated', 'reported']));
  const next = readFileSync(device.home.tokenFile, 'utf8').trim();
  expect(next).not.toBe(device.token);
  const commands = `/api/v1/agents/${device.id}/commands`;
  expect((await network.anonymous.as(next).get(commands)).status).toBe(200);
  expect((await network.anonymous.as(device.token).get(commands)).status).toBe(401);
});

test('an agent can act only for its own device and for no person', async () => {
  using one = await enrol();
  using other = await enrol();
  using impostor = agentHome(network.access, other.id, one.token);
  expect(await impostor.start([{ prompt: promptOf() }]).exitCode).toBe(3);
  expect((await network.anonymous.as(one.token).get('/api/v1/devices')).status).toBe(403);
});
