import { randomUUID } from 'node:crypto';
import { enrolSecondFactor, type RestClient, type TestTenant, type TestUser } from '@claviger/testkit';

export const BREAKGLASS = '/api/v1/breakglass';
export const WHY = { reason: 'the database cluster does not start', allEntries: true };
export const SECRET = 'correct horse battery staple';

/** A user with these roles who has just proved a second factor. */
export async function steppedUp(tenant: TestTenant, roles: readonly string[]): Promise<TestUser> {
  const user = await tenant.createUser(roles);
  await enrolSecondFactor(user.client);
  return user;
}

/** An entry that requires a grant. */
export async function guardedEntry(tenant: TestTenant): Promise<string> {
  const { id } = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
    name: `guarded ${randomUUID()}`,
    type: 'note',
    secret: SECRET,
    requiresGrant: true,
  });
  return id as string;
}

export const retrieve = (client: RestClient, entryId: string) =>
  client.post(`/api/v1/vault/entries/${entryId}/retrieve`, { reason: 'emergency' });

export async function sealedCodes(client: RestClient, count: number): Promise<string[]> {
  const { codes } = await client.must('POST', `${BREAKGLASS}/codes`, { count, reason: 'envelopes' });
  return codes as string[];
}
