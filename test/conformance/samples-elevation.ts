import { promptOf } from '../support/elevation.ts';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const REQUESTS = '/api/v1/pam/elevation-requests';
const TOOLS = '/api/v1/pam/tool-actions';
const DIGEST = 'ab'.repeat(32);
const action = { toolName: 'shell', riskTier: 3, actionDigest: DIGEST, reason: 'conformance' };

const approve = (world: World, id: unknown) =>
  world.steppedUp.must('POST', `${REQUESTS}/${id}/respond`, { decision: 'approve' });

async function prompt({ agent, deviceId }: World): Promise<string> {
  const { id } = await agent.must('POST', `/api/v1/agents/${deviceId}/elevation-requests`, promptOf());
  return id as string;
}

async function approved(world: World): Promise<string> {
  const id = await prompt(world);
  await approve(world, id);
  return id;
}

/** A command that waits for its outcome. */
async function command(world: World): Promise<string> {
  const { commandId } = await world.steppedUp.must(
    'POST',
    `/api/v1/devices/${world.deviceId}/actuate-elevation`,
    { elevationRequestId: await approved(world) },
  );
  return commandId as string;
}

async function approvedAction(world: World): Promise<string> {
  const { id } = await world.admin.must('POST', TOOLS, action);
  await approve(world, id);
  return id as string;
}

export const elevationSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  GetElevationRequest: async (world) => ({ params: { id: await prompt(world) } }),
  RequestElevation: ({ deviceId }) => ({
    body: { deviceId, reason: 'conformance', durationMinutes: 5 },
  }),
  RespondToElevation: async (world) => ({
    params: { id: await prompt(world) },
    body: { decision: 'approve', reason: 'CHG-1042', durationMinutes: 30 },
  }),
  RevokeElevation: async (world) => ({
    params: { id: await approved(world) },
    body: { reason: 'Maintenance window cancelled' },
  }),
  RequestToolAction: () => ({ body: action }),
  ClaimToolAction: async (world) => ({
    params: { id: await approvedAction(world) },
    body: { actionDigest: DIGEST },
  }),
  ActuateElevation: async (world) => ({
    params: { id: world.deviceId },
    body: { elevationRequestId: await approved(world), timeoutMs: 8_000 },
  }),
  IngestElevationRequest: ({ deviceId }) => ({ params: { id: deviceId }, body: promptOf() }),
  GetAgentElevationRequest: async (world) => ({
    params: { id: world.deviceId, request_id: await prompt(world) },
  }),
  FetchAgentCommands: ({ deviceId }) => ({ params: { id: deviceId } }),
  ReportCommandOutcome: async (world) => ({
    params: { id: world.deviceId, command_id: await command(world) },
    body: { outcome: 'succeeded' },
  }),
};

/** Items for the tests of paging. */
export async function fillElevations(world: World): Promise<void> {
  for (let n = 0; n < 4; n += 1) await prompt(world);
}
