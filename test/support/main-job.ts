import { randomUUID } from 'node:crypto';
import type { PostgresTarget, SshTarget } from '@claviger/targets';
import { eventually, type RestClient, type TestTenant, type TestUser } from '@claviger/testkit';

/** A tenant with the users of the main scenario. */
export interface People {
  readonly tenant: TestTenant;
  readonly admin: RestClient;
  readonly requester: TestUser;
  readonly approver: TestUser;
}

export async function createPeople(tenant: TestTenant): Promise<People> {
  const [requester, approver] = await Promise.all([
    tenant.createUser(['requester']),
    tenant.createUser(['approver']),
  ]);
  return { tenant, admin: tenant.admin.client, requester, approver };
}

export interface Account {
  readonly resourceId: string;
  readonly entryId: string;
  readonly username: string;
  readonly password: string;
}

const idOf = async (client: RestClient, path: string, body: object): Promise<string> =>
  (await client.must('POST', path, body)).id as string;
const suffix = (): string => randomUUID().slice(0, 8);

/** A role on a real PostgreSQL server whose password the vault stores. `port` may be that of a proxy. */
export async function postgresAccount(
  admin: RestClient,
  target: PostgresTarget,
  port: number = target.port,
): Promise<Account> {
  const username = `app_${suffix()}`;
  const password = `first-${randomUUID()}`;
  await target.createRole(username, password);
  const moduleId = await idOf(admin, '/api/v1/modules', {
    name: `postgres-${suffix()}`,
    type: 'postgres',
    config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [port] },
  });
  const resourceId = await idOf(admin, '/api/v1/resources', {
    name: `db-${suffix()}`,
    type: 'database',
    moduleId,
    host: target.host,
    port,
    settings: { database: target.database, tls: { mode: 'disable' } },
  });
  const entryId = await idOf(admin, '/api/v1/vault/entries', {
    name: username,
    resourceId,
    username,
    secret: password,
  });
  return { resourceId, entryId, username, password };
}

/** A Linux account on a real sshd whose password the vault stores. */
export async function sshAccount(admin: RestClient, target: SshTarget): Promise<Account> {
  const { username, password } = await target.createAccount();
  const moduleId = await idOf(admin, '/api/v1/modules', {
    name: `ssh-${suffix()}`,
    type: 'ssh',
    config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [target.port] },
  });
  const resourceId = await idOf(admin, '/api/v1/resources', {
    name: `host-${suffix()}`,
    type: 'server',
    moduleId,
    host: target.host,
    port: target.port,
    settings: { hostKeys: [target.hostKeyFingerprint] },
  });
  const entryId = await idOf(admin, '/api/v1/vault/entries', {
    name: username,
    resourceId,
    username,
    secret: password,
  });
  return { resourceId, entryId, username, password };
}

export async function requestAccess(people: People, entryId: string, durationMinutes = 30): Promise<string> {
  const request = await people.requester.client.must('POST', '/api/v1/requests', {
    entryId,
    reason: 'main job',
    durationMinutes,
  });
  return request.id as string;
}

/** Requests access and approves it; returns the grant. */
export async function grantAccess(people: People, entryId: string): Promise<string> {
  const request = await requestAccess(people, entryId);
  const approved = await people.approver.client.must('POST', `/api/v1/requests/${request}/approve`, {});
  return approved.grantId as string;
}

/** Retrieves the secret of an entry as its administrator. */
export async function retrieve(admin: RestClient, entryId: string): Promise<string> {
  const answer = await admin.must('POST', `/api/v1/vault/entries/${entryId}/retrieve`, { reason: 'check' });
  return answer.secret as string;
}

/** Waits until the newest rotation of an entry is in one of these states; returns it. */
export function rotationReaches(
  admin: RestClient,
  entryId: string,
  states: readonly string[],
): Promise<{ id: string; state: string; problem: string }> {
  return eventually(
    async () => {
      const { items } = await admin.must(
        'GET',
        `/api/v1/vault/entries/${entryId}/rotations?sortBy=requestedAt&sortOrder=desc`,
      );
      const [newest] = items as { id: string; state: string; problem: string }[];
      if (!newest || !states.includes(newest.state))
        throw new Error(`the rotation is ${newest?.state ?? 'missing'}: ${newest?.problem ?? ''}`);
      return newest;
    },
    { intervalMs: 200, what: `a rotation in ${states.join(' or ')}` },
  );
}
