import { randomUUID } from 'node:crypto';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as devices from '@claviger/contracts/auth/v1/devices';
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
  introspectAccess,
  introspectAgent,
  newTenant,
  newUser,
  PASSWORD,
  page,
  retryWhileLocked,
  rolesOf,
  signIn,
  startAuth,
  type TestTenant,
  tokensOf,
  usersOf,
} from '../../test-support.ts';

let stack: AuthStack;
let tenant: TestTenant;
let other: TestTenant;
beforeAll(async () => {
  stack = await startAuth();
  [tenant, other] = await Promise.all([newTenant(stack), newTenant(stack)]);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

type Caller = Awaited<ReturnType<typeof asAdministrator>>;

const sitesOf = () => stack.gateway.client('auth', devices.SitesService);
const groupsOf = () => stack.gateway.client('auth', devices.DeviceGroupsService);
const policiesOf = () => stack.gateway.client('auth', devices.ConfigurationPoliciesService);
const identitiesOf = () => stack.gateway.client('auth', devices.DirectoryIdentitiesService);

/** Signs in with a second factor that was proved just now. */
async function steppedUp(of: string, username: string, password: string): Promise<Caller> {
  const session = await signIn(stack, of, username, password);
  await stack.sql('UPDATE sessions SET mfa_at = now() WHERE id = $1', [
    JSON.parse(Buffer.from(session.answer.accessToken.split('.')[1]!, 'base64url').toString()).sid,
  ]);
  return session.as();
}
const admin = (of = tenant): Promise<Caller> =>
  steppedUp(of.name, of.administrator.username, of.administrator.password);

async function newSite(of = tenant, name = `site-${randomUUID()}`): Promise<string> {
  const { site } = await sitesOf().createSite({ name, description: '' }, await admin(of));
  return site!.id;
}

const move = (deviceId: string, siteId: string) => ({
  deviceId,
  siteId,
  hostname: undefined,
  rowVersion: undefined,
});
const claimsOf = (actorToken: string) =>
  JSON.parse(Buffer.from(actorToken.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

/** Creates a person with these roles, restricted to these sites. */
async function technician(siteIds: string[], roles: string[]) {
  const user = await newUser(stack, tenant, `tech-${randomUUID()}`, roles);
  await sitesOf().setUserSites({ userId: user.id, restricted: true, siteIds }, await admin());
  return { user, as: () => steppedUp(tenant.name, user.username, PASSWORD) };
}

test('a site name is unique, and a site is deleted only without devices and users', async () => {
  const caller = await admin();
  const siteId = await newSite(tenant, 'Headquarters');
  expect(await codeOf(newSite(tenant, 'HEADquarters'))).toBe('site_exists');
  expect(await codeOf(newSite(other, 'Headquarters'))).toBe('ok');
  const { device, agentToken } = await enrol(stack, tenant, 'inside', siteId);
  expect(device).toMatchObject({ siteId, siteName: 'Headquarters' });
  expect((await sitesOf().getSite({ siteId }, caller)).site).toMatchObject({ devices: 1, rowVersion: 1 });

  const before = await introspectAgent(stack, agentToken);
  const change = { siteId, name: 'HQ', description: undefined, rowVersion: 1 };
  expect((await sitesOf().updateSite(change, caller)).site).toMatchObject({ name: 'HQ', rowVersion: 2 });
  expect(await codeOf(sitesOf().updateSite(change, caller))).toBe('precondition_failed');
  const after = await introspectAgent(stack, agentToken);
  expect(after.epoch).toBeGreaterThan(before.epoch);
  expect(claimsOf(after.actorToken).dev).toEqual({ siteId, siteName: 'HQ' });

  expect(await codeOf(sitesOf().deleteSite({ siteId }, caller))).toBe('site_in_use');
  const { user } = await technician([siteId], ['operator']);
  await devicesOf(stack).decommissionDevice({ deviceId: device.id, reason: '' }, caller);
  expect(await codeOf(sitesOf().deleteSite({ siteId }, caller))).toBe('site_in_use');
  await sitesOf().setUserSites({ userId: user.id, restricted: true, siteIds: [] }, caller);
  await sitesOf().deleteSite({ siteId }, caller);
  expect((await devicesOf(stack).getDevice({ deviceId: device.id }, caller)).device!.siteId).toBe('');
  const foreign = await admin(other);
  for (const id of [siteId, await newSite()])
    expect(await codeOf(sitesOf().getSite({ siteId: id }, foreign))).toBe('not_found');
});

test('site-restricted users read and change only objects of their sites', async () => {
  const [here, there] = [await newSite(), await newSite()];
  const [inside, outside, nowhere] = [
    await enrol(stack, tenant, 'inside', here),
    await enrol(stack, tenant, 'outside', there),
    await enrol(stack, tenant, 'nowhere'),
  ];
  const { as } = await technician([here], ['operator']);
  const caller = await as();
  const listed = await devicesOf(stack).listDevices(
    { ...page, search: '', siteId: '', groupId: '', status: '' },
    caller,
  );
  expect([listed.totalItems, listed.items.map((device) => device.id)]).toEqual([1, [inside.device.id]]);
  const sites = await sitesOf().listSites({ ...page, search: '' }, caller);
  expect([sites.totalItems, sites.items.map((site) => site.id)]).toEqual([1, [here]]);
  expect(await codeOf(sitesOf().getSite({ siteId: there }, caller))).toBe('not_found');
  for (const { device } of [outside, nowhere]) {
    const deviceId = device.id;
    expect(await codeOf(devicesOf(stack).getDevice({ deviceId }, caller))).toBe('not_found');
    expect(await codeOf(devicesOf(stack).getDeviceConfiguration({ deviceId }, caller))).toBe('not_found');
    for (const call of [
      () => devicesOf(stack).updateDevice(move(deviceId, here), caller),
      () => devicesOf(stack).decommissionDevice({ deviceId, reason: '' }, caller),
      () => devicesOf(stack).rotateAgentToken({ deviceId }, caller),
      () => devicesOf(stack).revokeAgentToken({ deviceId }, caller),
      () => groupsOf().createDeviceGroup({ name: randomUUID(), deviceIds: [deviceId] }, caller),
      () =>
        policiesOf().putConfigurationPolicy(
          { feature: 'pam', scope: 'device', scopeId: deviceId, pam: {}, rowVersion: undefined } as never,
          caller,
        ),
    ])
      expect(await codeOf(call())).toBe('site_denied');
  }
  const deviceId = inside.device.id;
  for (const siteId of [there, '', randomUUID()])
    expect(await codeOf(devicesOf(stack).updateDevice(move(deviceId, siteId), caller))).toBe('site_denied');
  for (const siteId of [there, ''])
    expect(
      await codeOf(devicesOf(stack).enrolDevice({ hostname: 'x', siteId, os: '', resourceId: '' }, caller)),
    ).toBe('site_denied');
  expect(await codeOf(sitesOf().createSite({ name: randomUUID(), description: '' }, caller))).toBe(
    'site_denied',
  );
  expect(await codeOf(sitesOf().deleteSite({ siteId: here }, caller))).toBe('site_denied');
  for (const [scope, scopeId] of [
    ['organization', 'default'],
    ['site', there],
  ] as const)
    expect(
      await codeOf(
        policiesOf().putConfigurationPolicy(
          { feature: 'pam', scope, scopeId, pam: { uacInterceptionEnabled: false }, rowVersion: undefined },
          caller,
        ),
      ),
    ).toBe('site_denied');
  expect(
    await codeOf(
      devicesOf(stack).enrolDevice({ hostname: 'x', siteId: here, os: '', resourceId: '' }, caller),
    ),
  ).toBe('ok');
  expect(await codeOf(devicesOf(stack).rotateAgentToken({ deviceId }, caller))).toBe('ok');
});

test('site restrictions take effect immediately, also for API tokens; only tokens of restricted users name sites', async () => {
  const siteId = await newSite();
  const user = await newUser(stack, tenant, `tech-${randomUUID()}`, ['administrator']);
  const { answer } = await signIn(stack, tenant.name, user.username, PASSWORD);
  const before = await introspectAccess(stack, answer.accessToken);
  expect(claimsOf(before.actorToken)).not.toHaveProperty('sites');
  const set = { userId: user.id, restricted: true, siteIds: [siteId] };
  expect(await sitesOf().setUserSites(set, await admin())).toEqual({ restricted: true, siteIds: [siteId] });
  expect(Number(await stack.redis.get(`claviger:live:{${before.sessionId}}`))).toBeGreaterThan(before.epoch);
  const after = await introspectAccess(stack, answer.accessToken);
  expect(claimsOf(after.actorToken).sites).toEqual([siteId]);
  // An older actor token has no advantage: a change checks the database.
  expect(
    await codeOf(
      sitesOf().createSite({ name: randomUUID(), description: '' }, { actorToken: before.actorToken }),
    ),
  ).toBe('site_denied');
  const { token } = await tokensOf(stack).createApiToken(
    { userId: '', name: 't', permissions: [], expiresInDays: 0 },
    { actorToken: after.actorToken },
  );
  const robot = await stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'apiToken', value: token }, audiences: ['auth'] });
  expect(claimsOf(robot.actorToken).sites).toEqual([siteId]);
  expect(await sitesOf().getUserSites({ userId: user.id }, await admin())).toEqual({
    restricted: true,
    siteIds: [siteId],
  });
  await sitesOf().setUserSites({ userId: user.id, restricted: false, siteIds: [] }, await admin());
  expect(claimsOf((await introspectAccess(stack, answer.accessToken)).actorToken)).not.toHaveProperty(
    'sites',
  );
});

test('site-restricted users cannot reach other sites directly or through users, roles or machine identities', async () => {
  const [here, there] = [await newSite(), await newSite()];
  const { user, as } = await technician([here], ['administrator']);
  const caller = await as();
  const free = await newUser(stack, tenant, `free-${randomUUID()}`, ['requester']);
  const machine = await newUser(stack, tenant, `robot-${randomUUID()}`, ['requester'], 'machine');
  const attempts: [string, () => Promise<unknown>, string][] = [
    [
      'own sites',
      () => sitesOf().setUserSites({ userId: user.id, restricted: false, siteIds: [] }, caller),
      'own_account',
    ],
    [
      'free a colleague',
      () => sitesOf().setUserSites({ userId: free.id, restricted: false, siteIds: [] }, caller),
      'site_denied',
    ],
    [
      'send a colleague there',
      () => sitesOf().setUserSites({ userId: free.id, restricted: true, siteIds: [there] }, caller),
      'site_denied',
    ],
    [
      'keep a free colleague',
      () => sitesOf().setUserSites({ userId: free.id, restricted: true, siteIds: [here] }, caller),
      'site_denied',
    ],
    [
      'password of the free',
      () => usersOf(stack).setUserPassword({ userId: free.id, password: `${PASSWORD} 2` }, caller),
      'site_denied',
    ],
    [
      'reset of the free',
      () => usersOf(stack).startPasswordReset({ userId: free.id }, caller),
      'site_denied',
    ],
    [
      'roles of the free',
      () =>
        usersOf(stack).updateUserRoles(
          { userId: free.id, roles: ['operator'], rowVersion: undefined },
          caller,
        ),
      'site_denied',
    ],
    [
      'token of a free machine',
      () =>
        tokensOf(stack).createApiToken(
          { userId: machine.id, name: 't', permissions: [], expiresInDays: 0 },
          caller,
        ),
      'site_denied',
    ],
    [
      'identity of the free',
      () =>
        identitiesOf().setDirectoryIdentity(
          { userId: free.id, accountNames: [], groups: ['admins'], rowVersion: undefined },
          caller,
        ),
      'site_denied',
    ],
  ];
  for (const [what, call, code] of attempts) expect([what, await codeOf(call())]).toEqual([what, code]);
  const { role } = await rolesOf(stack).createRole(
    { name: randomUUID(), description: '', permissions: [] },
    caller,
  );
  expect(
    await codeOf(
      rolesOf(stack).updateRole(
        { roleId: role!.id, description: '', permissions: ['devices.execute'], rowVersion: undefined },
        caller,
      ),
    ),
  ).toBe('site_denied');
  // Users they create are restricted to their own sites.
  const made = await usersOf(stack).createUser(
    {
      username: `made-${randomUUID()}`,
      displayName: '',
      email: '',
      password: PASSWORD,
      roles: ['operator'],
      kind: 'person',
    },
    caller,
  );
  expect(await sitesOf().getUserSites({ userId: made.user!.id }, caller)).toEqual({
    restricted: true,
    siteIds: [here],
  });
  expect(
    await codeOf(sitesOf().setUserSites({ userId: made.user!.id, restricted: true, siteIds: [] }, caller)),
  ).toBe('ok');
  // A restricted administrator cannot restrict an administrator of all sites.
  const first = tenant.administrator.id;
  const peer = await newUser(stack, tenant, `peer-${randomUUID()}`, ['administrator']);
  const asPeer = await steppedUp(tenant.name, peer.username, PASSWORD);
  await sitesOf().setUserSites({ userId: peer.id, restricted: true, siteIds: [here] }, await admin());
  expect(
    await codeOf(sitesOf().setUserSites({ userId: first, restricted: true, siteIds: [here] }, asPeer)),
  ).toBe('site_denied');
  expect(
    await codeOf(
      sitesOf().setUserSites({ userId: free.id, restricted: false, siteIds: [here] }, await admin()),
    ),
  ).toBe('invalid');
  for (const siteId of [randomUUID(), 'none', await newSite(other)])
    expect(
      await codeOf(
        sitesOf().setUserSites({ userId: free.id, restricted: true, siteIds: [siteId] }, await admin()),
      ),
    ).toBe('invalid');
});

test('a tenant always has an administrator of all sites', async () => {
  const lonely = await newTenant(stack);
  const siteId = await newSite(lonely);
  const helper = await newUser(stack, lonely, 'helper', ['administrator']);
  const asHelper = await steppedUp(lonely.name, 'helper', PASSWORD);
  const keep = (userId: string, caller: Caller) =>
    codeOf(
      retryWhileLocked(() => sitesOf().setUserSites({ userId, restricted: true, siteIds: [siteId] }, caller)),
    );
  const both = await Promise.all([
    keep(helper.id, await admin(lonely)),
    keep(lonely.administrator.id, asHelper),
  ]);
  expect(both.filter((code) => code === 'ok')).toHaveLength(1);
  expect(['site_denied', 'last_administrator']).toContain(both.find((code) => code !== 'ok'));
});

test('a group name is unique, and a group accepts only devices of its tenant', async () => {
  const caller = await admin();
  const [one, two, foreign] = [
    await enrol(stack, tenant),
    await enrol(stack, tenant),
    await enrol(stack, other),
  ];
  const name = `group-${randomUUID()}`;
  const { group } = await groupsOf().createDeviceGroup(
    { name, deviceIds: [one.device.id, one.device.id] },
    caller,
  );
  const groupId = group!.id;
  expect(group).toMatchObject({ name, devices: 1, rowVersion: 1 });
  expect(await codeOf(groupsOf().createDeviceGroup({ name, deviceIds: [] }, caller))).toBe(
    'device_group_exists',
  );
  for (const id of [foreign.device.id, randomUUID(), 'none'])
    expect(await codeOf(groupsOf().setDeviceGroupMembers({ groupId, deviceIds: [id] }, caller))).toBe(
      'invalid',
    );
  const set = await groupsOf().setDeviceGroupMembers({ groupId, deviceIds: [two.device.id] }, caller);
  expect(set.group).toMatchObject({ devices: 1, rowVersion: 2 });
  const listed = await devicesOf(stack).listDevices(
    { ...page, search: '', siteId: '', groupId, status: 'active' },
    caller,
  );
  expect(listed.items.map((device) => [device.id, device.groupIds])).toEqual([[two.device.id, [groupId]]]);
  const rename = { groupId, name: `${name}-2`, rowVersion: 1 };
  expect(await codeOf(groupsOf().updateDeviceGroup(rename, caller))).toBe('precondition_failed');
  expect((await groupsOf().updateDeviceGroup({ ...rename, rowVersion: 2 }, caller)).group!.name).toBe(
    `${name}-2`,
  );
  const stranger = await admin(other);
  expect(await codeOf(groupsOf().deleteDeviceGroup({ groupId }, stranger))).toBe('not_found');
  await groupsOf().deleteDeviceGroup({ groupId }, caller);
  expect(await codeOf(groupsOf().deleteDeviceGroup({ groupId }, caller))).toBe('not_found');
});

test('the configuration of a device comes from the closest level with a setting, and the answer names the level', async () => {
  const first = await stack.operator
    .client('auth', auth.OperatorService)
    .bootstrapAdministrator({ username: 'platform.admin', tenant: 'default' });
  const platform = await steppedUp('default', first.username, first.password);
  const caller = await admin();
  const siteId = await newSite();
  const { device, agentToken } = await enrol(stack, tenant, 'host', siteId);
  const foreign = await enrol(stack, other);
  const { group } = await groupsOf().createDeviceGroup(
    { name: randomUUID(), deviceIds: [device.id] },
    caller,
  );
  const second = await groupsOf().createDeviceGroup({ name: randomUUID(), deviceIds: [device.id] }, caller);
  const say = (scope: string, scopeId: string, enabled: boolean | undefined, by: Caller = caller) =>
    policiesOf().putConfigurationPolicy(
      { feature: 'pam', scope, scopeId, pam: { uacInterceptionEnabled: enabled }, rowVersion: undefined },
      by,
    );
  const silence = (scope: string, scopeId: string, by: Caller = caller) =>
    policiesOf().deleteConfigurationPolicy({ feature: 'pam', scope, scopeId }, by);
  const holds = async () => {
    const { configuration } = await agentsOf(stack).getAgentConfiguration(
      { agentId: device.id },
      await asAgent(stack, agentToken),
    );
    const seen = await devicesOf(stack).getDeviceConfiguration({ deviceId: device.id }, caller);
    expect(seen.configuration).toEqual(configuration);
    const [source] = configuration!.sources;
    expect(source!.setting).toBe('pam.uacInterceptionEnabled');
    return [configuration!.pam!.uacInterceptionEnabled, source!.scope, source!.scopeId];
  };
  expect(await holds()).toEqual([true, 'default', '']);
  await say('partner', 'default', false, platform);
  expect(await holds()).toEqual([false, 'partner', 'default']);
  await say('organization', 'default', true);
  expect(await holds()).toEqual([true, 'organization', 'default']);
  await say('site', siteId, false);
  expect(await holds()).toEqual([false, 'site', siteId]);
  await say('group', group!.id, true);
  expect(await holds()).toEqual([true, 'group', group!.id]);
  await say('group', second.group!.id, false);
  expect(await holds()).toEqual([false, 'group', second.group!.id]);
  await say('device', device.id, true);
  expect(await holds()).toEqual([true, 'device', device.id]);
  // A level without a setting has no effect.
  expect((await say('device', device.id, undefined)).policy).toMatchObject({ pam: {}, rowVersion: 2 });
  expect(await holds()).toEqual([false, 'group', second.group!.id]);
  await groupsOf().deleteDeviceGroup({ groupId: second.group!.id }, caller);
  expect(await holds()).toEqual([true, 'group', group!.id]);
  await silence('group', group!.id);
  expect(await holds()).toEqual([false, 'site', siteId]);
  await devicesOf(stack).updateDevice(move(device.id, ''), caller);
  expect(await holds()).toEqual([true, 'organization', 'default']);
  await silence('organization', 'default');
  expect(await holds()).toEqual([false, 'partner', 'default']);

  // The partner level applies to every organization; an organization's setting applies only to itself.
  const elsewhere = await devicesOf(stack).getDeviceConfiguration(
    { deviceId: foreign.device.id },
    await asAdministrator(stack, other),
  );
  expect(elsewhere.configuration!.pam!.uacInterceptionEnabled).toBe(false);
  const list = await policiesOf().listConfigurationPolicies(
    { ...page, feature: 'pam', scope: '' },
    await admin(other),
  );
  expect(list.items.map(({ scope, scopeId, updatedBy }) => [scope, scopeId, updatedBy])).toEqual([
    ['partner', 'default', ''],
  ]);
  for (const call of [() => say('partner', 'default', true), () => silence('partner', 'default')])
    expect(await codeOf(call())).toBe('platform_only');
  for (const [scope, scopeId] of [
    ['partner', randomUUID()],
    ['organization', tenant.id],
    ['planet', 'default'],
    ['site', randomUUID()],
    ['device', foreign.device.id],
    ['group', 'default'],
  ] as const)
    expect([scope, await codeOf(say(scope, scopeId, true))]).toEqual([scope, 'not_found']);
  await silence('partner', 'default', platform);
  expect(await codeOf(silence('partner', 'default', platform))).toBe('not_found');
  expect(await holds()).toEqual([true, 'default', '']);
  // The database enforces the rule, too.
  const forged = stack.sql(
    `INSERT INTO configuration_policies (tenant_id, id, feature, scope, updated_by)
     VALUES ($1, gen_random_uuid(), 'pam', 'partner', 'x')`,
    [tenant.id],
  );
  await expect(forged).rejects.toThrow('only the platform');
});

test('an account name belongs to one person, without regard to case, and identifies person and groups', async () => {
  const caller = await admin();
  const directory = stack.workflow.client('auth', devices.DeviceDirectoryService);
  const call = { tenantId: tenant.id };
  const [sarah, tom] = [
    await newUser(stack, tenant, `s.jones-${randomUUID()}`, ['approver']),
    await newUser(stack, tenant, `tom-${randomUUID()}`, []),
  ];
  const set = (userId: string, accountNames: string[], groups: string[] = [], rowVersion?: number) =>
    identitiesOf().setDirectoryIdentity({ userId, accountNames, groups, rowVersion }, caller);
  expect((await identitiesOf().getDirectoryIdentity({ userId: sarah.id }, caller)).identity).toMatchObject({
    accountNames: [],
    rowVersion: 0,
  });
  const { identity } = await set(
    sarah.id,
    ['acme\\Sarah', 'ACME\\sarah', 'sarah@acme.example'],
    ['Domain Users', 'Finance'],
  );
  expect(identity).toMatchObject({
    accountNames: ['acme\\Sarah', 'sarah@acme.example'],
    groups: ['Domain Users', 'Finance'],
    updatedBy: tenant.administrator.id,
    rowVersion: 1,
  });
  for (const username of ['acme\\sarah', 'ACME\\SARAH', 'Sarah@ACME.example'])
    expect(await directory.resolveSubject({ username, deviceId: '' }, call)).toEqual({
      userId: sarah.id,
      userName: sarah.username,
      groups: ['Domain Users', 'Finance'],
      groupsKnown: true,
      possibleUserIds: [sarah.id],
      deviceEnrollerIds: [],
    });
  // A user who signs in under the name still cannot decide after it is assigned to another person.
  const same = await newUser(stack, tenant, `x-${randomUUID()}`, ['approver']);
  await set(tom.id, [`acme\\${same.username}`]);
  expect(
    await directory.resolveSubject({ username: `ACME\\${same.username}`, deviceId: '' }, call),
  ).toMatchObject({
    userId: tom.id,
    possibleUserIds: [tom.id, same.id],
  });
  // With another domain, or none, nobody is identified, and no possible user can decide.
  for (const username of ['WS-04\\sarah', 'sarah', 'sarah@elsewhere.example'])
    expect(await directory.resolveSubject({ username, deviceId: '' }, call)).toMatchObject({
      userId: '',
      groupsKnown: false,
      possibleUserIds: [sarah.id],
    });
  expect(
    await directory.resolveSubject({ username: 'acme\\sarah', deviceId: '' }, { tenantId: other.id }),
  ).toMatchObject({
    userId: '',
    possibleUserIds: [],
  });
  expect(await codeOf(set(tom.id, ['Acme\\SARAH']))).toBe('account_name_taken');
  expect(await codeOf(set(sarah.id, [], [], 0))).toBe('precondition_failed');
  expect(await codeOf(set(tenant.administrator.id, ['acme\\root']))).toBe('own_account');
  for (const name of ['', ' ', 'a\nb', 'x'.repeat(513), ' padded '])
    expect([name, await codeOf(set(tom.id, [name]))]).toEqual([name, 'invalid']);
  const permitted = await directory.listPermittedUsers({ permission: 'devices.execute', limit: 0 }, call);
  expect(permitted.users.find((user) => user.id === sarah.id)).toEqual({
    id: sarah.id,
    name: sarah.username,
    roles: ['approver'],
    siteRestricted: false,
    siteIds: [],
    behind: [],
    groups: ['Domain Users', 'Finance'],
  });
  // The name can be assigned again after its user is deleted.
  await usersOf(stack).deleteUser({ userId: sarah.id, rowVersion: undefined }, caller);
  expect((await directory.resolveSubject({ username: 'acme\\sarah', deviceId: '' }, call)).userId).toBe('');
  expect(await codeOf(set(tom.id, ['acme\\sarah']))).toBe('ok');
  expect((await directory.resolveSubject({ username: 'acme\\sarah', deviceId: '' }, call)).userId).toBe(
    tom.id,
  );
  const events = (await auditOf(stack, tenant.id)).filter((event) => event.subjectId === tom.id);
  expect(events.at(-1)).toMatchObject({ action: 'user.directory-identity.updated', outcome: 'allowed' });
});

test('a device is not created if the vault cannot confirm its resource', async () => {
  const caller = await admin();
  const enrolLinked = (resourceId: string) =>
    devicesOf(stack).enrolDevice({ hostname: 'linked', siteId: '', os: '', resourceId }, caller);
  // This installation has no vault: the answer is an outage, not an unknown resource.
  expect(await codeOf(enrolLinked(randomUUID()))).toBe('unavailable');
});

test('users cannot set their own identity through a machine identity, and a machine identity gets no account names', async () => {
  const maker = await admin();
  const machine = await newUser(stack, tenant, `robot-${randomUUID()}`, ['administrator'], 'machine');
  const { token } = await tokensOf(stack).createApiToken(
    { userId: machine.id, name: 'robot', permissions: [], expiresInDays: 0 },
    maker,
  );
  const robot = await stack.gateway
    .client('auth', auth.SessionsService)
    .introspect({ credential: { $case: 'apiToken', value: token }, audiences: ['auth'] });
  const set = (userId: string, accountNames: string[], as: Pick<Caller, 'actorToken'>) =>
    codeOf(
      identitiesOf().setDirectoryIdentity({ userId, accountNames, groups: [], rowVersion: undefined }, as),
    );
  const someone = await newUser(stack, tenant, `someone-${randomUUID()}`, []);
  expect(await set(tenant.administrator.id, [`acme\\${randomUUID()}`], robot)).toBe('own_account');
  expect(await set(someone.id, [`acme\\${randomUUID()}`], robot)).toBe('ok');
  expect(await set(machine.id, [`acme\\${randomUUID()}`], maker)).toBe('invalid');
  expect(await set(machine.id, [], maker)).toBe('ok');
});
