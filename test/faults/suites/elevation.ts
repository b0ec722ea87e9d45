import { enrolSecondFactor, eventually, type RestClient } from '@claviger/testkit';
import { beforeAll, expect, test } from 'vitest';
import { type Device, enrolDevice, reportPrompt } from '../../support/elevation.ts';
import { restartReachable } from '../../support/restart.ts';
import type { Topology } from '../../support/topology.ts';

/** The go signal of an elevation is given once, even if workflow is killed at any step. */
export function elevationKilled(topology: Topology): void {
  let decider: RestClient;
  let device: Device;

  beforeAll(async () => {
    const tenant = await topology.network.createTenant();
    device = await enrolDevice(tenant.admin.client);
    decider = (await tenant.createUser(['administrator'])).client;
    await enrolSecondFactor(decider);
  });

  async function approved(): Promise<string> {
    const id = await reportPrompt(device);
    await decider.must('POST', `/api/v1/pam/elevation-requests/${id}/respond`, { decision: 'approve' });
    return id;
  }

  const actuate = (elevationRequestId: string) =>
    decider.post(`/api/v1/devices/${device.id}/actuate-elevation`, { elevationRequestId });

  /** Repeats the call while workflow is unavailable or the limit of the device is reached. */
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
    topology.arm('workflow-1', `${point}=crash`);
    expect((await call()).status).toBe(503);
    await topology.recover('workflow-1');
  }

  test('workflow killed after it stored the go signal: exactly one command exists', async () => {
    const id = await approved();
    await killedAt('workflow.elevation.after_actuate', () => actuate(id));
    expect(await commandsOf(id)).toHaveLength(1);
    const again = await actuate(id);
    expect([again.status, again.body.code]).toEqual([409, 'race_lost']);
    expect(await commandsOf(id)).toHaveLength(1);
  });

  test('workflow killed before it stored the go signal: no command exists, and the signal can be given again', async () => {
    const id = await approved();
    await killedAt('workflow.elevation.before_actuate_commit', () => actuate(id));
    expect(await commandsOf(id)).toEqual([]);
    expect((await actuate(id)).status).toBe(201);
    expect(await commandsOf(id)).toHaveLength(1);
  });

  test('workflow stopped while agents wait: they are answered, and wait at another replica', async () => {
    const waiting = device.agent.get(`/api/v1/agents/${device.id}/commands?waitSeconds=20`);
    await restartReachable(topology.installation, 'workflow-1');
    expect([200, 503]).toContain((await waiting).status);
    const id = await approved();
    expect((await actuate(id)).status).toBe(201);
    expect(await commandsOf(id)).toHaveLength(1);
  });
}
