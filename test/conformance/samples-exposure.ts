import type { Sample } from './sample.ts';
import type { World } from './world.ts';

export const exposureSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  // The administrator who stored the accounts has seen them.
  GetUserExposure: (world) => ({ params: { user_id: world.tenant.admin.id } }),
  RotateUserExposure: async (world) => {
    const user = await world.createUser();
    return { params: { user_id: user.id }, body: { reason: 'conformance' } };
  },
  GetEntryExposure: (world) => ({ params: { entry_id: world.entryId } }),
};

/** Four users who have seen the same secret. */
export async function fillExposure(world: World): Promise<void> {
  const { admin, entryId } = world;
  for (let n = 0; n < 4; n += 1) {
    const { client, id } = await world.tenant.createUser(['operator']);
    await admin.must('PUT', `/api/v1/vault/entries/${entryId}/shares/${id}`, { access: 'view' });
    await client.must('POST', `/api/v1/vault/entries/${entryId}/retrieve`, { reason: 'conformance' });
  }
}
