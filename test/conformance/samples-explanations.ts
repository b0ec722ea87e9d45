import { promptOf } from '../support/elevation.ts';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

export const explanationSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  ExplainElevation: async ({ agent, deviceId }) => {
    const { id } = await agent.must('POST', `/api/v1/agents/${deviceId}/elevation-requests`, promptOf());
    return { params: { id: id as string } };
  },
  ExplainRequest: async (world) => ({ params: { request_id: await world.createRequest() } }),
};
