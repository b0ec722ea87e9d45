import { enrolSecondFactor, type RestClient } from '@claviger/testkit';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const BREAKGLASS = '/api/v1/breakglass';
const ask = { reason: 'conformance of emergency access', allEntries: true };

/** A person can have one open session: each sample uses a new person with a second factor. */
async function operator({ tenant }: World): Promise<RestClient> {
  const { client } = await tenant.createUser(['operator']);
  await enrolSecondFactor(client);
  return client;
}

async function asked(world: World): Promise<{ client: RestClient; id: string }> {
  const client = await operator(world);
  const { id } = await client.must('POST', `${BREAKGLASS}/activate`, ask);
  return { client, id: id as string };
}

async function ended(world: World): Promise<string> {
  const { client, id } = await asked(world);
  await world.steppedUp.must('POST', `${BREAKGLASS}/sessions/${id}/confirm`, {});
  await client.must('POST', `${BREAKGLASS}/deactivate`, {});
  return id;
}

export const breakglassSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  ActivateBreakglass: async (world) => {
    const { codes } = await world.steppedUp.must('POST', `${BREAKGLASS}/codes`, {
      count: 1,
      reason: 'conformance',
    });
    return { client: await operator(world), body: { ...ask, sealedCode: (codes as string[])[0] } };
  },
  ConfirmBreakglass: async (world) => ({ params: { session_id: (await asked(world)).id }, body: {} }),
  DeactivateBreakglass: async (world) => {
    const { client, id } = await asked(world);
    return { client, body: { sessionId: id } };
  },
  GetBreakglassSession: async (world) => ({ params: { session_id: (await asked(world)).id } }),
  ReviewBreakglassSession: async (world) => ({
    params: { session_id: await ended(world) },
    body: { review: 'conformance' },
  }),
  CreateBreakglassCodes: () => ({ body: { reason: 'conformance' } }),
  RunBreakglassDrill: () => ({ body: {} }),
  ListBreakglassEvents: (world) => ({ client: world.auditor.client }),
};

/** Items for the tests of paging in each list. */
export async function fillBreakglass(world: World): Promise<void> {
  for (let n = 0; n < 4; n += 1) {
    await asked(world);
    await world.admin.must('POST', `${BREAKGLASS}/drills`, {});
  }
}
