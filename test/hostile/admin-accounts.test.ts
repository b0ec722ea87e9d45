import { type PostgresTarget, type SshTarget, startPostgresTarget, startSshTarget } from '@claviger/targets';
import {
  connectNetwork,
  eventually,
  type Network,
  type RestAnswer,
  type TestTenant,
  type TestUser,
} from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let network: Network;
let tenant: TestTenant;
let owner: TestUser;
let attacker: TestUser;
let requester: TestUser;
let postgres: PostgresTarget;
let ssh: SshTarget;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  [tenant, postgres, ssh] = await Promise.all([
    network.createTenant(),
    startPostgresTarget(),
    startSshTarget(),
  ]);
  await network.openTargets(postgres.port, ssh.port);
  [owner, attacker, requester] = await Promise.all([
    tenant.createUser(['operator']),
    tenant.createUser(['operator']),
    tenant.createUser(['requester']),
  ]);
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), ssh?.stop(), network?.[Symbol.asyncDispose]()]);
});

interface Login {
  readonly username: string;
  readonly password: string;
}
interface Kind {
  readonly type: string;
  readonly port: number;
  readonly settings: object;
  readonly admin: Login;
  readonly account: Login;
  accepts(login: Login): Promise<boolean>;
}
const kinds: Record<string, () => Promise<Kind>> = {
  postgres: async () => {
    const account = { username: 'app_known', password: 'known-to-the-attacker' };
    await postgres.createRole(account.username, account.password);
    return {
      type: 'postgres',
      port: postgres.port,
      settings: { tls: { mode: 'disable' } },
      admin: postgres.admin,
      account,
      accepts: ({ username, password }) => postgres.accepts(username, password),
    };
  },
  ssh: async () => ({
    type: 'ssh',
    port: ssh.port,
    settings: { hostKeys: [ssh.hostKeyFingerprint] },
    admin: await ssh.createAccount({ superuser: true }),
    account: await ssh.createAccount(),
    accepts: ({ username, password }) => ssh.accepts(username, password),
  }),
};

let number = 0;
async function create(user: TestUser, path: string, body: object): Promise<string> {
  number += 1;
  return (await user.client.must('POST', path, { name: `admin-accounts-${number}`, ...body })).id as string;
}
const codeOf = ({ status, body }: RestAnswer) => `${status} ${body.code ?? ''}`;
const entry = (id: string) => `/api/v1/vault/entries/${id}`;

describe.each(Object.keys(kinds))('on a target of the kind %s', (name) => {
  test('a user cannot read the password of an account that was changed through the admin entry of another user', async () => {
    const kind = await kinds[name]!();
    const { admin, account } = kind;
    const moduleId = await create(owner, '/api/v1/modules', {
      type: kind.type,
      config: { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [kind.port] },
    });
    const adminEntryId = await create(owner, '/api/v1/vault/entries', {
      username: admin.username,
      secret: admin.password,
    });
    const address = { type: 'server', moduleId, host: '127.0.0.1', port: kind.port };
    const settings = { ...kind.settings, rotateAs: 'admin' };
    const resourceId = await create(owner, '/api/v1/resources', { ...address, settings, adminEntryId });
    const call = async (method: 'POST' | 'PUT', path: string, body: object) =>
      codeOf(await attacker.client.call(method, path, body));

    // The administrator account itself, by its name.
    const planted = await create(attacker, '/api/v1/vault/entries', {
      resourceId,
      username: admin.username,
      generate: true,
    });
    expect(await attacker.client.must('GET', entry(planted))).toMatchObject({ unproven: true });
    expect(await call('POST', `${entry(planted)}/rotate`, { reason: 'why' })).toBe('409 unproven');
    const startsAt = new Date(Date.now() - 1_000).toISOString();
    expect(await call('PUT', `${entry(planted)}/rotation-schedule`, { intervalHours: 1, startsAt })).toBe(
      '403 insufficient_access',
    );
    expect(
      await call('POST', '/api/v1/vault/entries', {
        name: 'scheduled',
        resourceId,
        username: 'somebody',
        generate: true,
        rotationIntervalHours: 1,
      }),
    ).toBe('403 insufficient_access');
    // A generated secret proves nothing, and the owner of the entry cannot accept it.
    expect(await attacker.client.must('POST', `${entry(planted)}/verify`, {})).toMatchObject({
      outcome: 'refused',
    });
    expect(await call('POST', `${entry(planted)}/accept`, {})).toBe('403 not_resource_owner');
    expect(await attacker.client.must('GET', entry(planted))).toMatchObject({ unproven: true });

    // Other paths to the admin entry and to the target.
    expect(await call('POST', `/api/v1/resources/${resourceId}/discover-accounts`, {})).toBe(
      '403 insufficient_access',
    );
    expect(await call('POST', `/api/v1/modules/${moduleId}/test`, { resourceId })).toBe(
      '403 insufficient_access',
    );
    const own = await create(attacker, '/api/v1/vault/entries', { username: admin.username, secret: 'mine' });
    expect(await call('PUT', `/api/v1/resources/${resourceId}`, { adminEntryId: own })).toBe(
      '403 not_resource_owner',
    );
    const resource = { name: 'mine', ...address, settings };
    expect(await call('POST', '/api/v1/resources', { ...resource, adminEntryId })).toBe(
      '403 secrets_not_visible',
    );
    expect(await call('POST', '/api/v1/resources', { ...resource, adminEntryId: planted })).toBe(
      '400 invalid',
    );
    expect(
      codeOf(
        await requester.client.post('/api/v1/requests', {
          entryId: planted,
          reason: 'why',
          durationMinutes: 30,
        }),
      ),
    ).toBe('409 unproven');

    // A known password proves an account, which still cannot be changed through the admin entry.
    const known = await create(attacker, '/api/v1/vault/entries', {
      resourceId,
      username: account.username,
      secret: account.password,
    });
    expect(await attacker.client.must('POST', `${entry(known)}/verify`, {})).toMatchObject({
      outcome: 'accepted',
    });
    expect(await attacker.client.must('GET', entry(known))).toMatchObject({ unproven: false });
    expect(await call('POST', `${entry(known)}/rotate`, { reason: 'why' })).toBe('403 insufficient_access');
    expect(await kind.accepts(admin)).toBe(true);
    expect(await kind.accepts(account)).toBe(true);

    // The owner of the resource accepts the account, rotates it, and is the only user who can read it.
    await owner.client.must('POST', `${entry(planted)}/accept`, { reason: 'ours' });
    await tenant.admin.client.must('DELETE', entry(known));
    const named = await create(attacker, '/api/v1/vault/entries', {
      resourceId,
      username: account.username,
      generate: true,
    });
    await owner.client.must('POST', `${entry(named)}/accept`, {});
    await owner.client.must('POST', `${entry(named)}/rotate`, { reason: 'taken over' });
    await eventually(async () => {
      const { items } = await owner.client.must('GET', `${entry(named)}/rotations`);
      expect(items).toMatchObject([{ state: 'verified' }]);
    });
    const { secret } = await owner.client.must('POST', `${entry(named)}/retrieve`, { reason: 'why' });
    expect(await kind.accepts({ username: account.username, password: secret as string })).toBe(true);
    expect((await attacker.client.post(`${entry(named)}/retrieve`, { reason: 'why' })).status).toBe(403);
  });
});
