import { eventually } from '@claviger/testkit';
import { fillConfigVersions } from './samples-administration.ts';
import { fillChatHistory } from './samples-assistant.ts';
import { fillBreakglass } from './samples-breakglass.ts';
import { fillCompliance } from './samples-compliance.ts';
import { fillDevices } from './samples-devices.ts';
import { fillElevations } from './samples-elevation.ts';
import { fillKeyJobs } from './samples-encryption.ts';
import { fillExposure } from './samples-exposure.ts';
import { fillRules } from './samples-rules.ts';
import type { World } from './world.ts';

/** Gives every list of the world at least four items, for the tests of paging. */
export async function fillLists(world: World): Promise<void> {
  const { admin, entryId } = world;
  const users = await Promise.all([1, 2, 3, 4].map(() => world.createUser()));
  for (const user of users) {
    await admin.must('PUT', `/api/v1/vault/entries/${entryId}/shares/${user.id}`, { access: 'view' });
    await admin.must('POST', '/api/v1/api-tokens', { name: 'robot' });
    await world.createModule();
    await world.createRequest();
    await world.createGrant();
  }
  await admin.must('PUT', `/api/v1/users/${world.userId}/roles`, {
    roles: ['requester', 'auditor', 'approver', 'operator'],
  });
  await fillKeyJobs(world);
  await fillConfigVersions(world);
  await fillChatHistory(world);
  await fillCompliance(world);
  await fillBreakglass(world);
  await fillDevices(world);
  await fillElevations(world);
  await fillExposure(world);
  await fillRules(world);
  for (let round = 0; round < 4; round += 1) {
    const rotation = await admin.must('POST', `/api/v1/vault/entries/${entryId}/rotate`, {
      reason: 'conformance',
    });
    await eventually(async () => {
      const { state } = await admin.must('GET', `/api/v1/vault/entries/${entryId}/rotations/${rotation.id}`);
      if (state !== 'verified') throw new Error(`the rotation is ${state}`);
    });
  }
}
