import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import {
  HOSTILE_ACCOUNT,
  type HttpTarget,
  type LdapTarget,
  type MysqlTarget,
  startHostileTarget,
  startHttpTarget,
  startLdapTarget,
  startMysqlTarget,
} from '@claviger/targets';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, type Person, quickRotation, startVault, type VaultBench } from '../../test-support.ts';

let bench: VaultBench;
let admin: Person;
let mysql: MysqlTarget;
let ldap: LdapTarget;
let http: HttpTarget;
const reach = { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [{ from: 1024, to: 65_535 }] };
const moduleIds = new Map<string, string>();

const httpApi = () => ({
  tls: { mode: 'pinned', certificate: http.certificate },
  verify: {
    method: 'GET',
    path: '/api/me',
    basicAuth: { username: '{username}', password: '{password}' },
    accepted: { status: [200], pointer: '/user', equals: '{username}' },
  },
  rotate: {
    method: 'POST',
    path: '/api/users/{username}/password',
    basicAuth: { username: '{username}', password: '{password}' },
    body: { type: 'json', value: { password: '{newPassword}' } },
    accepted: { status: [200], pointer: '/changed', equals: true },
  },
});

beforeAll(async () => {
  [bench, mysql, ldap, http] = await Promise.all([
    startVault({
      services: ['vault', 'auth'],
      overrides: { vault: { rotation: { ...quickRotation, probesPerWindow: 10 } } },
    }),
    startMysqlTarget(),
    startLdapTarget(),
    startHttpTarget(),
  ]);
  await bench.openPorts(mysql.port, ldap.port, http.port);
  admin = await bench.as({});
  const configs = {
    mysql: { tls: { mode: 'verify-full', ca: mysql.certificate } },
    ldap: {
      tls: { mode: 'verify-full', ca: ldap.certificate },
      startTls: true,
      userDn: `uid={username},ou=people,${ldap.baseDn}`,
      baseDn: ldap.baseDn,
    },
    http: httpApi(),
  };
  for (const [type, config] of Object.entries(configs)) {
    const { module } = await admin.modules.createModule({
      name: type,
      type,
      config: { ...reach, ...config },
    });
    moduleIds.set(type, module!.id);
  }
});
afterAll(async () => {
  await Promise.all([mysql?.stop(), ldap?.stop(), http?.stop(), bench?.[Symbol.asyncDispose]()]);
});
afterEach(() => http.setMode('ok'));

interface Managed {
  readonly entryId: string;
  readonly resourceId: string;
  readonly username: string;
  readonly first: string;
  accepts(password: string): Promise<boolean>;
}

/** An account on the target with the secret that the vault stores. */
async function account(type: 'mysql' | 'ldap' | 'http', settings: object = {}): Promise<Managed> {
  const username = `app-${randomUUID().slice(0, 8)}`;
  const first = `First-${randomUUID()}`;
  const targets = { mysql, ldap, http };
  let accepts: Managed['accepts'] = async (password) => http.accepts(username, password);
  if (type === 'http') http.createAccount(username, first);
  if (type === 'mysql') {
    await mysql.createUser(username, first);
    accepts = (password) => mysql.accepts(username, password);
  }
  if (type === 'ldap') {
    const dn = await ldap.createPerson(username, first);
    accepts = (password) => ldap.accepts(dn, password);
  }
  const { resource } = await admin.resources.createResource({
    name: username,
    type: 'application',
    moduleId: moduleIds.get(type)!,
    host: '127.0.0.1',
    port: targets[type].port,
    settings: { ...settings },
  });
  const { entry } = await admin.entries.createEntry({
    name: username,
    username,
    secret: first,
    resourceId: resource!.id,
  });
  return { entryId: entry!.id, resourceId: resource!.id, username, first, accepts };
}

const rotate = ({ entryId }: Managed) => admin.entries.rotateEntry({ entryId, reason: 'test' });
const ended = ({ entryId }: Managed, state: string) =>
  eventually(`a rotation that is ${state}`, async () => {
    const [rotation] = (await admin.entries.listRotations({ entryId })).items;
    if (rotation?.finishedAt && rotation.state !== state)
      throw new Error(`the rotation is ${rotation.state}: ${rotation.problem}`);
    return rotation?.state === state && rotation;
  });

/** The vault discloses a secret that the target accepts and that differs from the former one. */
async function expectRotated(managed: Managed): Promise<void> {
  const { secret, rotationState } = await admin.entries.retrieveEntry({ entryId: managed.entryId });
  expect(rotationState).toBe('idle');
  expect(await managed.accepts(secret)).toBe(true);
  expect(await managed.accepts(managed.first)).toBe(false);
}

test.each(['mysql', 'ldap', 'http'] as const)(
  '%s: an account rotates its own secret, and a login verifies it',
  async (type) => {
    const managed = await account(type);
    await rotate(managed);
    await ended(managed, 'verified');
    await expectRotated(managed);
    expect(
      await admin.modules.testModule({ moduleId: moduleIds.get(type)!, resourceId: managed.resourceId }),
    ).toMatchObject({ ok: true });
  },
);

test.each(['mysql', 'ldap'] as const)(
  '%s: an admin entry rotates secrets and discovers accounts',
  async (type) => {
    const managed = await account(type, { rotateAs: 'admin' });
    const boss = { mysql, ldap }[type].admin;
    const { entry } = await admin.entries.createEntry({
      name: `admin of ${managed.username}`,
      username: boss.username,
      secret: boss.password,
    });
    await admin.resources.updateResource({ resourceId: managed.resourceId, adminEntryId: entry!.id });
    await rotate(managed);
    await ended(managed, 'verified');
    await expectRotated(managed);
    const { items } = await admin.resources.discoverAccounts({ resourceId: managed.resourceId });
    expect(items.find((item) => item.username === managed.username)).toMatchObject({
      entryId: managed.entryId,
      canLogin: true,
    });
  },
);

test('F-36 a target that changes the secret and answers with an error is verified, and the new secret is kept', async () => {
  const managed = await account('http');
  await http.setMode('apply_then_error');
  await rotate(managed);
  await ended(managed, 'verified');
  await expectRotated(managed);
  expect(http.history(managed.username)).toHaveLength(2);
});

test('F-37 if a target reports a change that it did not make, the vault discloses the former secret', async () => {
  const managed = await account('http');
  await http.setMode('lie_ok');
  await rotate(managed);
  expect(await ended(managed, 'refused')).toMatchObject({
    problem: expect.stringContaining('keeps the former'),
  });
  expect((await admin.entries.listEntryVersions({ entryId: managed.entryId })).items).toMatchObject([
    { version: 2, state: 'rejected' },
    { version: 1, state: 'current' },
  ]);
  const { secret } = await admin.entries.retrieveEntry({ entryId: managed.entryId });
  expect(secret).toBe(managed.first);
  expect(await managed.accepts(secret)).toBe(true);
});

test('F-38 a target that is down gets the same pending version later; one whose policy refuses gets three in a day', async () => {
  const managed = await account('http');
  await http.setMode('down');
  await rotate(managed);
  await eventually('a rotation that waits', async () => {
    const [rotation] = (await admin.entries.listRotations({ entryId: managed.entryId })).items;
    return rotation?.problem !== '' && !rotation?.finishedAt;
  });
  await http.setMode('refuse_policy');
  expect(await ended(managed, 'refused')).toMatchObject({
    problem: expect.stringContaining('No further attempt today'),
  });
  expect(http.history(managed.username)).toHaveLength(1);
  expect((await admin.entries.retrieveEntry({ entryId: managed.entryId })).secret).toBe(managed.first);
});

test('H-253 unusable settings of a module are refused with the name of the field', async () => {
  const wrong = [
    ['mysql', { tls: { mode: 'verify-full', ca: 'none' } }, '/config/tls/ca'],
    ['mysql', { host: '-oProxyCommand=id' }, '/config/host'],
    ['mysql', { acountHost: '%' }, '/config'],
    ['ldap', { filter: '(uid=*' }, '/config/filter'],
    ['ldap', { userDn: 'uid=$(id),dc=x' }, '/config/userDn'],
    [
      'http',
      { ...httpApi(), rotate: { ...httpApi().rotate, path: '/p?x={newPassword}' } },
      '/config/rotate/path',
    ],
    ['http', { allowedCidrs: ['10.0.0.1'] }, '/config/allowedCidrs/0'],
  ] as const;
  for (const [type, config, pointer] of wrong) {
    const refused = { reason: 'invalid', fields: [expect.objectContaining({ pointer })] };
    await expect(admin.modules.createModule({ name: randomUUID(), type, config })).rejects.toMatchObject(
      refused,
    );
    await expect(
      admin.modules.patchModule({ moduleId: moduleIds.get(type)!, config: { ...config } }),
    ).rejects.toMatchObject(refused);
  }
});

test('closed, silent, refused by the platform: without modules.update all give one answer after one time', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  const closed = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(silent, 'listening'), once(closed, 'listening')]);
  const ports = [silent, closed].map((server) => (server.address() as AddressInfo).port);
  closed.close();
  await once(closed, 'close');
  await bench.openPorts(...ports);
  const tester = await bench.as({
    tenantId: admin.actor.tenantId,
    permissions: new Set(['modules.test', 'modules.read', 'vault.entries.rotate', 'vault.entries.read']),
  });
  try {
    const answers = await Promise.all(
      // Port 1 is closed.
      [...ports, 1].map(async (port) => {
        const { module } = await admin.modules.createModule({
          name: randomUUID(),
          type: 'ldap',
          config: {
            ...reach,
            allowedPorts: [{ from: 1, to: 65_535 }],
            userDn: `uid={username},ou=people,${ldap.baseDn}`,
            tls: { mode: 'system' },
          },
        });
        const { resource } = await admin.resources.createResource({
          name: randomUUID(),
          type: 'application',
          moduleId: module!.id,
          host: '127.0.0.1',
          port,
        });
        const { entry } = await admin.entries.createEntry({
          name: randomUUID(),
          username: randomUUID(),
          secret: 's',
          resourceId: resource!.id,
        });
        await admin.entries.putShare({ entryId: entry!.id, userId: tester.actor.userId, access: 'view' });
        // One after the other: a tenant has four workers.
        const startedAt = performance.now();
        const tested = await tester.modules.testModule({ moduleId: module!.id });
        const testedAt = performance.now();
        const verified = await tester.entries.verifyEntry({ entryId: entry!.id });
        const tookMs = Math.min(testedAt - startedAt, performance.now() - testedAt);
        const seen = (await tester.modules.getModule({ moduleId: module!.id })).module!.statusProblem;
        const truth = (await admin.modules.getModule({ moduleId: module!.id })).module!.statusProblem;
        return { told: { tested, verified, seen }, tookMs, truth };
      }),
    );
    expect(new Set(answers.map(({ told }) => JSON.stringify(told))).size).toBe(1);
    expect(answers[0]!.told).toMatchObject({
      tested: { ok: false, latencyMs: 0, problem: 'The target could not be used.' },
      verified: { outcome: 'unknown', problem: 'The target could not be used.' },
      seen: 'The target could not be used.',
    });
    for (const { tookMs } of answers) expect(tookMs).toBeGreaterThan(7_900);
    expect(new Set(answers.map(({ truth }) => truth)).size).toBe(3);
    for (const { truth } of answers) expect(bench.log()).toContain(truth);
  } finally {
    silent.close();
  }
});

test('the test of a module returns the reason of a failure: refused, not trusted, not allowed', async () => {
  const port = ldap.port;
  const tested = async (config: object) => {
    const { module } = await admin.modules.createModule({
      name: randomUUID(),
      type: 'ldap',
      config: { ...reach, userDn: `uid={username},ou=people,${ldap.baseDn}`, startTls: true, ...config },
    });
    const { resource } = await admin.resources.createResource({
      name: randomUUID(),
      type: 'application',
      moduleId: module!.id,
      host: '127.0.0.1',
      port,
    });
    await admin.entries.createEntry({
      name: randomUUID(),
      username: `nobody-${randomUUID()}`,
      secret: 'wrong',
      resourceId: resource!.id,
    });
    return admin.modules.testModule({ moduleId: module!.id });
  };
  const trusted = { tls: { mode: 'verify-full', ca: ldap.certificate } };
  expect(await tested(trusted)).toMatchObject({ ok: false, problem: expect.stringContaining('49') });
  expect(await tested({ tls: { mode: 'system' } })).toMatchObject({
    problem: expect.stringContaining('identity'),
    hint: expect.stringContaining('certificate'),
  });
  expect(await tested({ ...trusted, allowedPorts: [1] })).toMatchObject({
    hint: expect.stringContaining('allowedPorts'),
  });
});

test('hostile targets do not delay other calls of the vault', async () => {
  const hostile = await Promise.all(
    (
      [
        ['ldap', 'refuses in a megabyte of blanks'],
        ['ldap', 'floods blanks'],
        ['ldap', 'declares a message of a gigabyte'],
        ['mysql', 'answers a statement with rows for ever'],
        ['mysql', 'answers a statement with rows of a megabyte'],
        ['mysql', 'refuses in a megabyte of blanks'],
        ['ldap', 'answers with accounts in thousands of groups'],
      ] as const
    ).map(([type, behaviour]) => startHostileTarget(type, behaviour)),
  );
  const { username, password } = HOSTILE_ACCOUNT;
  const plainModules = new Map<string, string>();
  for (const type of ['ldap', 'mysql']) {
    const { host, port, ...settings } = hostile.find((each) => each.type === type)!.settings;
    const config = { ...reach, ...settings };
    const { module } = await admin.modules.createModule({ name: `hostile ${type}`, type, config });
    plainModules.set(type, module!.id);
  }
  const resources = await Promise.all(
    hostile.map(async ({ type, behaviour, port }) => {
      const { resource } = await admin.resources.createResource({
        name: `${type} that ${behaviour}`,
        type: 'application',
        moduleId: plainModules.get(type)!,
        host: '127.0.0.1',
        port,
      });
      const resourceId = resource!.id;
      const { entry } = await admin.entries.createEntry({
        name: `${type} that ${behaviour}`,
        username,
        secret: password,
        resourceId,
      });
      await admin.resources.updateResource({ resourceId, adminEntryId: entry!.id });
      return { resourceId, entryId: entry!.id };
    }),
  );
  let isPlayed = false;
  const playing = Promise.allSettled(
    resources.flatMap(({ resourceId, entryId }) => [
      admin.resources.discoverAccounts({ resourceId }),
      admin.entries.verifyEntry({ entryId }),
    ]),
  ).finally(() => {
    isPlayed = true;
  });
  let longestMs = 0;
  while (!isPlayed) {
    const startedAt = performance.now();
    await admin.entries.getEntry({ entryId: resources[0]!.entryId });
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  for (const answer of await playing)
    if (answer.status === 'rejected')
      expect(['conflict', 'rate_limited', 'unavailable']).toContain(answer.reason.reason);
  process.stdout.write(
    `vault under ${hostile.length} hostile targets: longest call ${longestMs.toFixed(0)} ms\n`,
  );
  // Each of these blocked the vault for many seconds. The bound allows for a busy machine.
  expect(longestMs).toBeLessThan(5_000);
  await Promise.all(hostile.map((each) => each[Symbol.asyncDispose]()));
});
