import {
  enrolSecondFactor,
  eventually,
  type RestClient,
  type StartedNetwork,
  startNetwork,
} from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Device, enrolDevice, promptOf, reportPrompt } from '../support/elevation.ts';
import { crashed, restartReachable } from '../support/restart.ts';

let started: StartedNetwork;
let decider: RestClient;
let device: Device;

beforeAll(async () => {
  started = await startNetwork({ rateLimits: 'on' });
  const tenant = await started.network.createTenant();
  device = await enrolDevice(tenant.admin.client);
  decider = (await tenant.createUser(['administrator'])).client;
  await enrolSecondFactor(decider);
});
afterAll(async () => started?.[Symbol.asyncDispose]());

async function approved(): Promise<string> {
  const id = await reportPrompt(device);
  await decider.must('POST', `/api/v1/pam/elevation-requests/${id}/respond`, { decision: 'approve' });
  return id;
}

const actuate = (elevationRequestId: string) =>
  decider.post(`/api/v1/devices/${device.id}/actuate-elevation`, { elevationRequestId });

/** Asked again while workflow is away, and when this was too often for one device. */
const commandsOf = (requestId: string) =>
  eventually(
    async () => {
      const { commands } = await device.agent.must('GET', `/api/v1/agents/${device.id}/commands`);
      return (commands as { elevationRequestId: string }[]).filter(
        (each) => each.elevationRequestId === requestId,
      );
    },
    { intervalMs: 250 },
  );

async function killedAt(point: string, call: () => Promise<{ status: number }>): Promise<void> {
  const { installation } = started;
  await restartReachable(installation, 'workflow-1', { FAILPOINTS: `${point}=crash@1` });
  expect((await call()).status).toBe(503);
  await crashed(installation, 'workflow-1');
  await restartReachable(installation, 'workflow-1', {});
}

test('workflow killed after the go signal was stored: exactly one command, and no second one', async () => {
  const id = await approved();
  await killedAt('workflow.elevation.after_actuate', () => actuate(id));
  expect(await commandsOf(id)).toHaveLength(1);
  const again = await actuate(id);
  expect([again.status, again.body.code]).toEqual([409, 'race_lost']);
  expect(await commandsOf(id)).toHaveLength(1);
});

test('workflow killed before the go signal was stored: none, and it can be given then', async () => {
  const id = await approved();
  await killedAt('workflow.elevation.before_actuate_commit', () => actuate(id));
  expect(await commandsOf(id)).toEqual([]);
  expect((await actuate(id)).status).toBe(201);
  expect(await commandsOf(id)).toHaveLength(1);
});

test('workflow stopped while agents wait: they are answered, and wait at the next one', async () => {
  const waiting = device.agent.get(`/api/v1/agents/${device.id}/commands?waitSeconds=20`);
  await restartReachable(started.installation, 'workflow-1', {});
  expect([200, 503]).toContain((await waiting).status);
  const id = await approved();
  expect((await actuate(id)).status).toBe(201);
  expect(await commandsOf(id)).toHaveLength(1);
});

test('H-192 a device that reports more than ten prompts a second is told to come later', async () => {
  const answers = await Promise.all(
    Array.from({ length: 300 }, () =>
      device.agent.post(`/api/v1/agents/${device.id}/elevation-requests`, promptOf()),
    ),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length + answers.filter(({ status }) => status === 201).length).toBe(300);
  for (const { body, headers } of refused) {
    expect(body).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }
  const other = await enrolDevice(decider);
  expect((await eventually(() => reportPrompt(other))).length).toBe(36);
});
