import { randomUUID } from 'node:crypto';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as tenants from '@claviger/contracts/auth/v1/tenants';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AuthStack,
  agentsOf,
  asAdministrator,
  asAgent,
  auditOf,
  codeOf,
  devicesOf,
  enrol,
  introspectAgent,
  introspectUntilCached,
  newTenant,
  newUser,
  reasonOf,
  retryWhileLocked,
  signIn,
  startAuth,
  type TestTenant,
} from '../../test-support.ts';

let stack: AuthStack;
let tenant: TestTenant;
let other: TestTenant;
beforeAll(async () => {
  stack = await startAuth();
  [tenant, other] = await Promise.all([newTenant(stack), newTenant(stack)]);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const liveness = (id: string) => stack.redis.get(`claviger:live:{${id}}`);
const refused = (token: string) => reasonOf(introspectAgent(stack, token));

test('a token is shown once, stored as a hash, and identifies only the device', async () => {
  const { device, agentToken } = await enrol(stack, tenant, 'WIN-ACCT-04');
  expect(agentToken).toMatch(/^cla_[A-Za-z0-9_-]{43}_[0-9a-f]{40}$/);
  expect(device).toMatchObject({ hostname: 'WIN-ACCT-04', status: 'active', hasToken: true, siteId: '' });
  const rows = await stack.sql('SELECT to_jsonb(t)::text AS text FROM agent_tokens t WHERE device_id = $1', [
    device.id,
  ]);
  expect(JSON.stringify(rows)).not.toContain(agentToken.slice(4, 40));
  const events = await stack.sql<{ payload: string }>(`SELECT payload FROM outbox WHERE tenant_id = $1`, [
    tenant.id,
  ]);
  expect(JSON.stringify(events)).not.toContain(agentToken.slice(4, 40));
  const again = await devicesOf(stack).getDevice(
    { deviceId: device.id },
    await asAdministrator(stack, tenant),
  );
  expect(JSON.stringify(again)).not.toContain('cla_');

  const { seen: answer, live } = await introspectUntilCached(stack, () => introspectAgent(stack, agentToken));
  expect(answer).toMatchObject({ userId: device.id, tenantId: tenant.id, mfaPending: false });
  expect(live).toBe(String(answer.epoch));
  const actor = JSON.parse(Buffer.from(answer.actorToken.split('.')[1]!, 'base64url').toString());
  expect(actor).toMatchObject({
    sub: device.id,
    name: 'WIN-ACCT-04',
    kind: 'agent',
    perms: [],
    roles: [],
    dev: { siteId: null, siteName: '' },
  });
});

test('a modified token, a token of another kind and an unknown token are refused', async () => {
  const { agentToken } = await enrol(stack, tenant);
  const flipped = agentToken.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  for (const token of [flipped, agentToken.replace('cla_', 'clv_'), `${agentToken}0`, 'cla_', ''])
    expect(await refused(token)).toBe('unauthenticated');
  const asApi = stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'apiToken', value: agentToken }, audiences: ['auth'] });
  expect(await reasonOf(asApi)).toBe('unauthenticated');
});

test('revocation, rotation and decommissioning take effect immediately, also for a cached token', async () => {
  const admin = await asAdministrator(stack, tenant);
  const ends: ((deviceId: string) => Promise<unknown>)[] = [
    (deviceId) => devicesOf(stack).revokeAgentToken({ deviceId }, admin),
    (deviceId) => devicesOf(stack).rotateAgentToken({ deviceId }, admin),
    (deviceId) => devicesOf(stack).decommissionDevice({ deviceId, reason: 'scrapped' }, admin),
  ];
  for (const end of ends) {
    const { device, agentToken } = await enrol(stack, tenant);
    const { sessionId } = await introspectAgent(stack, agentToken);
    await end(device.id);
    expect(await liveness(sessionId)).toBe('revoked');
    expect(await codeOf(introspectAgent(stack, agentToken))).toBe('session_revoked');
  }
});

test('a rotated token works; a revoked device can get a new token, a decommissioned one cannot', async () => {
  const admin = await asAdministrator(stack, tenant);
  const { device, agentToken } = await enrol(stack, tenant);
  const deviceId = device.id;
  const rotated = await devicesOf(stack).rotateAgentToken({ deviceId }, admin);
  expect((await introspectAgent(stack, rotated.agentToken)).userId).toBe(deviceId);
  expect(await refused(agentToken)).toBe('unauthenticated');
  await devicesOf(stack).revokeAgentToken({ deviceId }, admin);
  expect((await devicesOf(stack).getDevice({ deviceId }, admin)).device!.hasToken).toBe(false);
  const renewed = await devicesOf(stack).rotateAgentToken({ deviceId }, admin);
  expect((await introspectAgent(stack, renewed.agentToken)).userId).toBe(deviceId);
  for (let round = 0; round < 2; round += 1) {
    const { device: gone } = await devicesOf(stack).decommissionDevice({ deviceId, reason: '' }, admin);
    expect(gone).toMatchObject({ status: 'decommissioned', hasToken: false });
  }
  expect(await codeOf(devicesOf(stack).rotateAgentToken({ deviceId }, admin))).toBe('device_decommissioned');
  expect(
    await codeOf(
      devicesOf(stack).updateDevice(
        { deviceId, hostname: 'x', siteId: undefined, rowVersion: undefined },
        admin,
      ),
    ),
  ).toBe('device_decommissioned');
  const actions = (await auditOf(stack, tenant.id))
    .filter((event) => event.subjectId === deviceId && event.outcome === 'allowed')
    .map((event) => event.action);
  expect(actions).toEqual([
    'device.enrolled',
    'device.token.rotated',
    'device.token.revoked',
    'device.token.rotated',
    'device.decommissioned',
    'device.decommissioned',
  ]);
});

test('changes of a device reach the claims of its agent immediately', async () => {
  const { device, agentToken } = await enrol(stack, tenant, 'before');
  const before = await introspectAgent(stack, agentToken);
  await devicesOf(stack).updateDevice(
    { deviceId: device.id, hostname: 'after', siteId: undefined, rowVersion: undefined },
    await asAdministrator(stack, tenant),
  );
  // Gateways compare the epoch, so their cached entry is no longer valid.
  expect(Number(await liveness(before.sessionId))).toBeGreaterThan(before.epoch);
  const after = await introspectAgent(stack, agentToken);
  expect(JSON.parse(Buffer.from(after.actorToken.split('.')[1]!, 'base64url').toString()).name).toBe('after');
});

test('after an agent rotates its own token, the former works until the new one is used', async () => {
  const { device, agentToken: first } = await enrol(stack, tenant);
  const rotate = async (token: string): Promise<string> =>
    (await agentsOf(stack).rotateOwnAgentToken({ agentId: device.id }, await asAgent(stack, token)))
      .agentToken;
  // Both answers are lost: the former token still works, and each new request replaces the unused token.
  const lost = await rotate(first);
  expect(await refused(first)).toBe('ok');
  const lostToo = await rotate(first);
  expect(await refused(lost)).toBe('unauthenticated');
  const second = await rotate(first);
  expect(await refused(lostToo)).toBe('unauthenticated');
  expect(await refused(first)).toBe('ok');
  const { sessionId } = await introspectAgent(stack, first);
  // The agent receives the new token.
  expect(await refused(second)).toBe('ok');
  expect(await liveness(sessionId)).toBe('revoked');
  expect(await refused(first)).toBe('unauthenticated');
  expect(await refused(second)).toBe('ok');
  expect(await codeOf(rotate(second))).toBe('ok');
});

test('the former token works for at most a day, even if the agent rotates repeatedly', async () => {
  const { device, agentToken } = await enrol(stack, tenant);
  const rotate = async () =>
    agentsOf(stack).rotateOwnAgentToken({ agentId: device.id }, await asAgent(stack, agentToken));
  await rotate();
  const expiry = async () =>
    (
      await stack.sql<{ at: string; hours: number }>(
        `SELECT expires_at::text AS at, round(extract(epoch FROM expires_at - now()) / 3600)::int AS hours
         FROM agent_tokens WHERE device_id = $1 AND expires_at IS NOT NULL`,
        [device.id],
      )
    )[0]!;
  const first = await expiry();
  expect(first.hours).toBe(24);
  await rotate();
  expect((await expiry()).at).toBe(first.at);
  await stack.sql(
    `UPDATE agent_tokens SET expires_at = now() WHERE device_id = $1 AND expires_at IS NOT NULL`,
    [device.id],
  );
  expect(await codeOf(introspectAgent(stack, agentToken))).toBe('session_expired');
});

test('concurrent first uses and rotations leave the device exactly one valid chain of tokens', async () => {
  const { device, agentToken } = await enrol(stack, tenant);
  const acting = await asAgent(stack, agentToken);
  const made = await Promise.allSettled(
    [1, 2, 3, 4, 5, 6].map(() =>
      retryWhileLocked(() => agentsOf(stack).rotateOwnAgentToken({ agentId: device.id }, acting)),
    ),
  );
  const tokens = made.flatMap((each) => (each.status === 'fulfilled' ? [each.value.agentToken] : []));
  expect(tokens).toHaveLength(6);
  const verdicts = await Promise.all(
    tokens.map((token) => reasonOf(retryWhileLocked(() => introspectAgent(stack, token)))),
  );
  expect(verdicts.filter((verdict) => verdict === 'ok')).toHaveLength(1);
  expect(await refused(agentToken)).toBe('unauthenticated');
  // Actor tokens of the former token are no longer valid either.
  expect(await reasonOf(agentsOf(stack).rotateOwnAgentToken({ agentId: device.id }, acting))).toBe(
    'unauthenticated',
  );
});

test('H-190 an agent acts only for its own device; people and other agents cannot act for it', async () => {
  const [own, sibling, foreign] = await Promise.all([
    enrol(stack, tenant),
    enrol(stack, tenant),
    enrol(stack, other),
  ]);
  const acting = await asAgent(stack, own.agentToken);
  for (const call of [
    (agentId: string) => agentsOf(stack).getAgentConfiguration({ agentId }, acting),
    (agentId: string) => agentsOf(stack).rotateOwnAgentToken({ agentId }, acting),
  ]) {
    expect(await codeOf(call(sibling.device.id))).toBe('other_agent');
    for (const id of [foreign.device.id, randomUUID(), 'none'])
      expect(await codeOf(call(id))).toBe('not_found');
  }
  const admin = await asAdministrator(stack, tenant);
  expect(await codeOf(agentsOf(stack).getAgentConfiguration({ agentId: own.device.id }, admin))).toBe(
    'agents_only',
  );
  expect(await codeOf(devicesOf(stack).getDevice({ deviceId: own.device.id }, acting))).toBe(
    'not_for_agents',
  );
  expect(await refused(sibling.agentToken)).toBe('ok');
});

test('agents of a suspended tenant are refused immediately and accepted after the reinstatement', async () => {
  const { agentToken } = await enrol(stack, other);
  const before = await introspectAgent(stack, agentToken);
  const first = await stack.operator
    .client('auth', auth.OperatorService)
    .bootstrapAdministrator({ username: 'platform.admin', tenant: 'default' });
  const session = await signIn(stack, 'default', first.username, first.password);
  await stack.sql('UPDATE sessions SET mfa_at = now() WHERE user_id = $1', [first.userId]);
  const stepped = await session.as();
  const orders = stack.gateway.client('auth', tenants.TenantsService);
  await orders.suspendTenant({ tenantId: other.id, reason: 'test' }, stepped);
  expect(Number(await liveness(before.sessionId))).toBeGreaterThan(before.epoch);
  expect(await codeOf(introspectAgent(stack, agentToken))).toBe('session_revoked');
  await orders.reinstateTenant({ tenantId: other.id, reason: 'test', name: '' }, stepped);
  expect(await refused(agentToken)).toBe('ok');
});

test('the last-seen time is written at most once a minute', async () => {
  const { device, agentToken } = await enrol(stack, tenant);
  const seen = async () =>
    (
      await stack.sql<{ at: string | null }>('SELECT last_seen_at::text AS at FROM devices WHERE id = $1', [
        device.id,
      ])
    )[0]!.at;
  expect(await seen()).toBeNull();
  await introspectAgent(stack, agentToken);
  const first = await seen();
  expect(first).not.toBeNull();
  await introspectAgent(stack, agentToken);
  expect(await seen()).toBe(first);
});

test('a token of a machine identity names its creator, a person’s own token does not', async () => {
  const admin = await asAdministrator(stack, tenant);
  const machine = await newUser(stack, tenant, `robot-${randomUUID()}`, ['requester'], 'machine');
  const tokens = stack.gateway.client('auth', auth.ApiTokensService);
  const responsible = async (userId: string): Promise<string | undefined> => {
    const made = await tokens.createApiToken({ userId, name: 't', permissions: [], expiresInDays: 0 }, admin);
    const { actorToken } = await stack.gateway
      .client('auth', auth.SessionsService)
      .introspect({ credential: { $case: 'apiToken', value: made.token }, audiences: ['auth'] });
    return JSON.parse(Buffer.from(actorToken.split('.')[1]!, 'base64url').toString()).rsp as
      | string
      | undefined;
  };
  expect(await responsible(machine.id)).toBe(tenant.administrator.id);
  expect(await responsible('')).toBeUndefined();
});

test('only an account name identifies the user of a device; other possible users are listed', async () => {
  const directory = stack.workflow.client('auth', devices.DeviceDirectoryService);
  const { device } = await enrol(stack, tenant, 'host');
  const call = { tenantId: tenant.id };
  expect(await directory.describeDevice({ deviceId: device.id }, call)).toEqual({
    id: device.id,
    hostname: 'host',
    siteId: '',
    siteName: '',
    status: 'active',
    hasToken: true,
  });
  expect(await codeOf(directory.describeDevice({ deviceId: device.id }, { tenantId: other.id }))).toBe(
    'not_found',
  );
  expect(await codeOf(directory.describeDevice({ deviceId: device.id }, {}))).toBe('invalid');
  const sarah = await newUser(stack, tenant, 'Sarah', ['approver']);
  for (const username of ['sarah', 'acme\\SARAH', 'sarah@acme.example', 'acme\\sarah ', 'ｓarah'])
    expect([username, await directory.resolveSubject({ username, deviceId: '' }, call)]).toEqual([
      username,
      {
        userId: '',
        userName: '',
        groups: [],
        groupsKnown: false,
        possibleUserIds: [sarah.id],
        deviceEnrollerIds: [],
      },
    ]);
  for (const username of ['nobody', 'sarah\\acme', 'a\u0001b', '\\'])
    expect((await directory.resolveSubject({ username, deviceId: '' }, call)).possibleUserIds).toEqual([]);
  expect(
    (await directory.resolveSubject({ username: 'sarah', deviceId: '' }, { tenantId: other.id }))
      .possibleUserIds,
  ).toEqual([]);
  // The answer also names the user who enrolled the device and the creators of that user's tokens.
  const named = await directory.resolveSubject({ username: 'nobody', deviceId: device.id }, call);
  expect(named.deviceEnrollerIds).toEqual([tenant.administrator.id]);
  const machine = await newUser(stack, tenant, `robot-${randomUUID()}`, ['administrator'], 'machine');
  await stack.gateway
    .client('auth', auth.ApiTokensService)
    .createApiToken(
      { userId: machine.id, name: 't', permissions: [], expiresInDays: 0 },
      await asAdministrator(stack, tenant),
    );
  await stack.sql('UPDATE devices SET enrolled_by = $1 WHERE id = $2', [machine.id, device.id]);
  const byMachine = await directory.resolveSubject({ username: 'nobody', deviceId: device.id }, call);
  expect([...byMachine.deviceEnrollerIds].sort()).toEqual([machine.id, tenant.administrator.id].sort());
  const foreign = { tenantId: other.id };
  expect(
    (await directory.resolveSubject({ username: 'x', deviceId: device.id }, foreign)).deviceEnrollerIds,
  ).toEqual([]);
  const deciders = await directory.listPermittedUsers({ permission: 'devices.execute', limit: 0 }, call);
  expect(deciders.truncated).toBe(false);
  expect(deciders.users.map((user) => user.id).sort()).toEqual([sarah.id, tenant.administrator.id].sort());
  const one = await directory.listPermittedUsers({ permission: 'devices.execute', limit: 1 }, call);
  expect([one.users.length, one.truncated]).toEqual([1, true]);
});
