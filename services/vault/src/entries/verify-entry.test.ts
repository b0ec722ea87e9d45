import { randomUUID } from 'node:crypto';
import { type FaultyProxy, type SshTarget, startFaultyProxy, startSshTarget } from '@claviger/targets';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Person, startVault, type VaultBench } from '../../test-support.ts';

let bench: VaultBench;
let ssh: SshTarget;
let proxy: FaultyProxy;
/** Owns the host. */
let admin: Person;
/** May create accounts on the host, and owns none of them. */
let operator: Person;
let moduleId: string;
let resourceId: string;

beforeAll(async () => {
  [bench, ssh] = await Promise.all([
    startVault({ services: ['vault', 'workflow', 'auth'] }),
    startSshTarget({ ownEtc: true }),
  ]);
  proxy = await startFaultyProxy(ssh);
  await bench.openPorts(proxy.port);
  admin = await bench.as({});
  operator = await bench.as({
    tenantId: admin.actor.tenantId,
    permissions: new Set(['create', 'read', 'update', 'rotate'].map((name) => `vault.entries.${name}`)),
  });
  moduleId = await createModule('ssh');
  resourceId = await createResource(moduleId, { hostKeys: [ssh.hostKeyFingerprint] });
});
afterAll(async () => {
  await proxy?.stop();
  await Promise.all([ssh?.stop(), bench?.[Symbol.asyncDispose]()]);
});
afterEach(() => proxy.setMode({ kind: 'ok' }));

async function createModule(type: string, config: object = {}): Promise<string> {
  const reach = { allowedCidrs: ['127.0.0.0/8'], allowedPorts: [proxy.port] };
  return (await admin.modules.createModule({ name: randomUUID(), type, config: { ...reach, ...config } }))
    .module!.id;
}

async function createResource(moduleId: string, settings: Record<string, unknown> = {}): Promise<string> {
  const { resource } = await admin.resources.createResource({
    name: randomUUID(),
    type: 'server',
    moduleId,
    host: '127.0.0.1',
    port: proxy.port,
    settings,
  });
  return resource!.id;
}

async function unproven(username: string, secret: string, more: object = {}): Promise<string> {
  const { entry } = await operator.entries.createEntry({
    name: randomUUID(),
    username,
    secret,
    resourceId,
    ...more,
  });
  expect(entry).toMatchObject({ unproven: true });
  return entry!.id;
}

const verify = (entryId: string) => operator.entries.verifyEntry({ entryId });
const isUnproven = async (entryId: string) => (await admin.entries.getEntry({ entryId })).entry!.unproven;

test('a private key for another owner’s host is proven by a login with it, and by no other key', async () => {
  const [{ username }, other] = [await ssh.createAccount(), await ssh.createAccount()];
  const [key, planted] = [await ssh.addKey(username), await ssh.addKey(other.username)];
  const entryId = await unproven(username, planted, { type: 'ssh-key' });
  expect(await verify(entryId)).toMatchObject({ outcome: 'refused' });
  expect(await isUnproven(entryId)).toBe(true);
  await operator.entries.updateEntry({ entryId, secret: key });
  expect(await verify(entryId)).toMatchObject({ outcome: 'accepted' });
  expect(await isUnproven(entryId)).toBe(false);
  // A database accepts no SSH key.
  const database = await createResource(await createModule('postgres', { tls: { mode: 'disable' } }));
  const elsewhere = await unproven(username, key, { type: 'ssh-key', resourceId: database });
  await expect(verify(elsewhere)).rejects.toMatchObject({ reason: 'conflict', code: 'not_an_account' });
});

test('a login proves the account that it reached, not the one that the entry names afterwards', async () => {
  const { username, password } = await ssh.createAccount();
  const { username: root } = await ssh.createAccount({ superuser: true });
  const entryId = await unproven(username, password);
  let renamed: Promise<unknown> | undefined;
  // Before the vault receives the host's first answer.
  await proxy.setMode({
    kind: 'reset',
    when: async () => {
      renamed ??= operator.entries.updateEntry({ entryId, username: root });
      await renamed;
      return false;
    },
  });
  expect(await verify(entryId)).toMatchObject({ outcome: 'accepted' });
  expect((await admin.entries.getEntry({ entryId })).entry).toMatchObject({ username: root, unproven: true });
  await expect(operator.entries.rotateEntry({ entryId, reason: 'why' })).rejects.toMatchObject({
    code: 'unproven',
  });
});
