import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectNetwork, type Network, type TestTenant, type TestUser } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { steppedUp } from '../support/breakglass.ts';
import { type CommandLine, commandLine } from '../support/command-line.ts';
import { promptOf } from '../support/elevation.ts';

let network: Network;
let tenant: TestTenant;
let administrator: TestUser;
let colleague: TestUser;
let shell: CommandLine;
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
  [administrator, colleague] = await Promise.all([
    steppedUp(tenant, ['administrator']),
    steppedUp(tenant, ['administrator']),
  ]);
  shell = commandLine(network.access);
});
afterAll(async () => {
  shell?.[Symbol.dispose]();
  await network?.[Symbol.asyncDispose]();
});

interface Item {
  readonly id: string;
  readonly status?: string;
}

test('commands enrol a device, decide its prompt, and send the go signal', async () => {
  await shell.json(administrator, 'sites', 'create', 'HQ');
  const tokenFile = join(shell.folder, 'device.token');
  const { device } = await shell.json(
    administrator,
    ...['devices', 'enrol', 'WIN-1', '--site', 'HQ', '--os', 'windows', '--output-file', tokenFile],
  );
  const { id: deviceId } = device as Item;
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
  const agent = network.anonymous.as(readFileSync(tokenFile, 'utf8').trim());
  const path = `/api/v1/agents/${deviceId}`;
  const { id } = await agent.must('POST', `${path}/elevation-requests`, promptOf());

  const shown = await shell.run(administrator, 'devices', 'show', 'WIN-1');
  expect(shown.stdout).toMatch(/site +HQ[\s\S]*prompts +captured/);
  const pending = ['elevations', 'list', '--status', 'pending', '--device', 'WIN-1'];
  expect(await shell.json(colleague, ...pending)).toMatchObject({ items: [{ id }], totalItems: 1 });
  const approved = await shell.run(colleague, 'elevations', 'approve', String(id), '--for', '15m');
  expect(approved).toMatchObject({ code: 0, stdout: `${id} is approved\n` });
  expect(approved.stderr).toContain('acme\\sarah requests C:\\Users\\sarah\\Downloads\\FirefoxSetup.exe');
  expect((await shell.run(colleague, 'elevations', 'deny', String(id))).code).toBe(6);
  const { commandId } = await shell.json(colleague, 'elevations', 'actuate', String(id));
  const { commands } = await agent.must('GET', `${path}/commands`);
  expect(commands).toMatchObject([{ id: commandId, elevationRequestId: id }]);
  expect((await shell.run(colleague, 'elevations', 'active')).stdout).toContain(String(id));
  expect(await shell.json(colleague, 'elevations', 'revoke', String(id), '--reason', 'done')).toMatchObject({
    status: 'revoked',
  });

  await shell.json(administrator, 'devices', 'decommission', 'WIN-1', '--reason', 'scrapped');
  expect((await agent.get(`${path}/commands`)).status).toBe(401);
}, 300_000);

test('commands preview, add, co-sign, change and remove a rule', async () => {
  const rule = { name: 'signed', verdict: 'auto_approve', matchSigner: 'Mozilla Corporation', priority: 50 };
  const file = shell.file('rule.json', rule);
  expect(await shell.json(administrator, 'rules', 'preview', '--file', file, '--days', '7')).toMatchObject({
    windowDays: 7,
  });
  await shell.json(administrator, 'rules', 'add', '--file', file);
  const signed = await shell.json(colleague, 'rules', 'co-sign', 'signed');
  expect(signed.coSigners).toMatchObject([{ id: colleague.id }]);
  const misspelt = shell.file('misspelt.json', { matchSiner: null });
  const refused = await shell.run(administrator, 'rules', 'update', 'signed', '--file', misspelt);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('/matchSiner') });
  const change = shell.file('change.json', { matchSigner: null, matchUser: 'acme\\sarah' });
  const changed = await shell.json(administrator, 'rules', 'update', 'signed', '--file', change);
  expect(changed).toMatchObject({ matchUser: 'acme\\sarah', priority: 50 });
  expect(changed).not.toHaveProperty('matchSigner');
  expect((await shell.run(administrator, 'rules', 'list')).stdout).toContain('user acme\\sarah');
  expect(await shell.json(administrator, 'rules', 'disable', 'signed')).toMatchObject({ enabled: false });
  expect(await shell.json(administrator, 'rules', 'enable', 'signed')).toMatchObject({ enabled: true });
  const draft = shell.file('draft.json', { removedRuleIds: [changed.id] });
  expect((await shell.run(administrator, 'rules', 'replay', '--file', draft)).stdout).toContain('decisions');
  expect((await shell.run(administrator, 'rules', 'lint')).code).toBeLessThanOrEqual(1);
  expect((await shell.run(administrator, 'rules', 'delete', 'signed')).code).toBe(0);
  expect((await shell.run(administrator, 'rules', 'show', 'signed')).code).toBe(5);
}, 300_000);

test('commands maintain lists of known software without JSON', async () => {
  const software = (...args: string[]) => shell.json(administrator, 'software-policy', ...args);
  await shell.json(administrator, 'sites', 'create', 'Harbour');
  await software('add', 'installers', '--list', 'allow', '--signer', 'Mozilla Corporation');
  const changed = await software(
    ...[
      'update',
      'installers',
      '--no-signer',
      '--path',
      'C:\\Mozilla\\*.exe',
      '--site',
      'Harbour',
      '--state',
      'off',
    ],
  );
  expect(changed).toMatchObject({ list: 'allow', enabled: false, matchPathGlob: 'C:\\Mozilla\\*.exe' });
  expect(changed).not.toHaveProperty('matchSigner');
  const signed = await shell.json(colleague, 'software-policy', 'co-sign', 'installers');
  expect(signed.coSigners).toMatchObject([{ id: colleague.id }]);
  expect(await software('update', 'installers', '--no-site')).not.toHaveProperty('siteId');
  expect(await software('list', '--list', 'allow')).toMatchObject({
    items: [{ enabled: false }],
    totalItems: 1,
  });
  expect(await software('list', '--list', 'deny')).toMatchObject({ items: [], totalItems: 0 });
  const empty = await shell.run(administrator, 'software-policy', 'update', 'installers');
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('--help') });
  expect((await shell.run(administrator, 'software-policy', 'remove', 'installers')).code).toBe(0);
  expect((await shell.run(administrator, 'software-policy', 'delete', 'installers')).code).toBe(5);
}, 300_000);

test('commands group and move devices, and set the capture of prompts at each level', async () => {
  const enrolled: string[] = [];
  for (const name of ['KIOSK-1', 'KIOSK-2']) {
    const { device } = await shell.json(administrator, 'devices', 'enrol', name);
    enrolled.push((device as Item).id);
  }
  const as = (...args: string[]) => shell.json(administrator, ...args);
  await as('sites', 'create', 'Pier');
  await as('devices', 'update', 'KIOSK-1', '--site', 'Pier');
  await as('device-groups', 'create', 'Kiosks', '--device', 'KIOSK-1');
  const grown = await as('device-groups', 'update', 'Kiosks', '--add', 'KIOSK-2', '--name', 'Screens');
  expect(grown).toMatchObject({ name: 'Screens', devices: 2 });
  await as('device-groups', 'update', 'Screens', '--remove', 'KIOSK-2');
  expect(await as('devices', 'list', '--group', 'Screens')).toMatchObject({ items: [{ id: enrolled[0] }] });

  const captured = async () => (await as('devices', 'show', 'KIOSK-1')).configuration;
  const policy = (verb: string, ...args: string[]) =>
    shell.run(administrator, 'devices', 'policy', verb, ...args);
  const levels = [
    ['organization', ['--organization']],
    ['site', ['--site', 'Pier']],
    ['group', ['--group', 'Screens']],
    ['device', ['--device', 'KIOSK-1']],
  ] as const;
  let state = false;
  for (const [scope, level] of levels) {
    expect((await policy('set', ...level, '--uac-interception', state ? 'on' : 'off')).code).toBe(0);
    expect(await captured()).toMatchObject({ pam: { uacInterceptionEnabled: state }, sources: [{ scope }] });
    state = !state;
  }
  expect((await policy('get')).stdout.trim().split('\n')).toHaveLength(levels.length + 1);
  expect((await policy('get', '--site', 'Pier')).stdout).toMatch(/site +Pier +on/);
  expect((await policy('clear', '--device', 'KIOSK-1')).stderr).toContain('next level');
  expect((await policy('clear', '--device', 'KIOSK-1')).stderr).toContain('had no policy');
  expect(await captured()).toMatchObject({ sources: [{ scope: 'group' }] });
  expect((await policy('set', '--uac-interception', 'on')).code).toBe(2);
  expect((await policy('clear', '--organization', '--partner')).code).toBe(2);
}, 300_000);

test('commands set the names under which devices report a user', async () => {
  const identity = (...args: string[]) => shell.json(administrator, 'users', 'directory-identity', ...args);
  const { id } = colleague;
  await identity('set', id, '--account-name', 'acme\\kim', '--group', 'Finance', '--group', 'HR people');
  expect(await identity('set', id, '--no-group')).toMatchObject({ accountNames: ['acme\\kim'], groups: [] });
  expect(await identity('get', id)).toMatchObject({ accountNames: ['acme\\kim'], groups: [] });
  const own = ['users', 'directory-identity', 'set', administrator.id, '--no-account-name'];
  expect((await shell.run(administrator, ...own)).code).toBe(3);
}, 300_000);
