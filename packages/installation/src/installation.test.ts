import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { identifyProcess, isSameProcess } from '@claviger/backing-servers';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  AlreadyRunningError,
  createTemporaryDataDir,
  databaseName,
  databaseRoles,
  findRunning,
  type Installation,
  layoutOf,
  type StartOptions,
  startInstallation,
  storeServices,
} from './index.ts';
import { takeLock } from './running-file.ts';
import { startBackingServers } from './start-backing-servers.ts';
import { writeState } from './state.ts';

const servicesDir = join(import.meta.dirname, '../fixtures');
let dataDir: string;
let stack: Installation;

const options = (): StartOptions => ({
  dataDir,
  environment: 'test',
  servicesDir,
  replicas: { gateway: 2 },
  env: { vault: { FAILPOINTS: 'none' } },
});

beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
  process.env.A_SECRET_OF_SOMEBODY_ELSE = 'canary';
  writeFileSync(
    layoutOf(dataDir).settingsFile,
    '{"auth": {"logLevel": "warn", "sessions": {"idleMinutes": 5}}}',
  );
  stack = await startInstallation(options());
});

afterAll(async () => {
  await stack?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    })
      .once('error', reject)
      .end();
  });
}

async function asRole<T>(role: string, use: (client: Client) => Promise<T>): Promise<T> {
  const password = readFileSync(stack.layout.databasePassword(role), 'utf8').trim();
  const { socketDir, port } = stack.servers.postgres;
  const client = new Client({ host: socketDir, port, user: role, password, database: databaseName });
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const environmentOf = async (node: string) => {
  const definition = stack.nodes.find((each) => each.node === node)!;
  const answer = await fetch(`${definition.healthUrl}/environment`);
  return (await answer.json()) as Record<string, string>;
};

test('every gateway answers on its own port with a certificate that the one CA file proves', async () => {
  const ca = readFileSync(stack.caCertificate, 'utf8');
  expect(stack.urls).toHaveLength(2);
  expect(await Promise.all(stack.urls.map((url) => get(url, ca)))).toEqual(['gateway-1', 'gateway-2']);
});

test('each role sees its own schema, none another one, and none bypasses row-level security', async () => {
  for (const service of storeServices) {
    const { owner, ...users } = databaseRoles(service);
    for (const role of [owner, ...Object.values(users)]) {
      await asRole(role, async (client) => {
        const rights = await client.query(
          `SELECT nspname FROM pg_namespace WHERE nspname = ANY($1) AND has_schema_privilege(nspname, 'USAGE')`,
          [storeServices],
        );
        expect(rights.rows).toEqual([{ nspname: service }]);
        const me = await client.query(
          `SELECT rolbypassrls OR rolsuper OR rolcreaterole AS strong, current_schema() AS schema
             FROM pg_roles WHERE rolname = current_user`,
        );
        expect(me.rows).toEqual([{ strong: false, schema: service }]);
        const create = client.query('CREATE TABLE own_table (n int); DROP TABLE own_table');
        if (role === owner) await create;
        else await expect(create).rejects.toThrow(/permission denied/);
      });
    }
  }
});

test('secrets are files for their owner only, no configuration holds one, and no service inherits one', async () => {
  for (const name of await readdir(stack.layout.secrets)) {
    if (name.endsWith('.pub.pem')) continue;
    const file = stack.layout.secret(name);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, 'utf8').trim();
    for (const { configFile } of stack.nodes) expect(readFileSync(configFile, 'utf8')).not.toContain(secret);
  }
  const environment = await environmentOf('auth-1');
  expect(environment.A_SECRET_OF_SOMEBODY_ELSE).toBeUndefined();
  const keyFiles = ['auth-root-key', 'vault-root-key'].map((name) =>
    readFileSync(stack.layout.secret(name), 'utf8'),
  );
  expect(keyFiles[0]).not.toBe(keyFiles[1]);
});

test('every gateway knows with how many it shares the limits; the operator lays settings over the rest', () => {
  const config = (node: string) => JSON.parse(readFileSync(stack.layout.configFile(node), 'utf8')) as unknown;
  expect(config('gateway-2')).toMatchObject({ replicas: 2 });
  expect(config('auth-1')).toMatchObject({ logLevel: 'warn', sessions: { idleMinutes: 5 } });
  expect(config('vault-1')).toMatchObject({ logLevel: 'info' });
});

test('of many that take over the lock of a dead process at once, one gets it', async () => {
  const folder = await createTemporaryDataDir();
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run/lock.json'), '{"pid":4194303,"startedAt":"1"}');
  const taken = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(folder)));
  expect(taken.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
  rmSync(folder, { recursive: true });
});

test('a copy of a data folder whose servers keep their data outside is refused, before anything is touched', async () => {
  const folder = await createTemporaryDataDir();
  const layout = layoutOf(folder);
  await writeState(layout, { environment: 'test', partsFolder: '/var/lib/claviger-000000000000', ports: {} });
  await expect(startBackingServers(layout, 'test', () => {})).rejects.toThrow(/was moved or copied.*then mv/);
  rmSync(folder, { recursive: true });
});

test('a killed node stays down until it is restarted, with a new environment if given', async () => {
  expect((await environmentOf('vault-1')).FAILPOINTS).toBe('none');
  const before = stack.pid('vault-1');
  await stack.kill('vault-1');
  expect(stack.pid('vault-1')).toBeUndefined();
  // The list of running processes must show what is missing.
  expect((await findRunning(dataDir))?.processes.map(({ name }) => name)).toContain('vault-1');
  await stack.restart('vault-1', { env: { FAILPOINTS: 'vault.rotate=crash@1' } });
  expect(stack.pid('vault-1')).not.toBe(before);
  expect((await environmentOf('vault-1')).FAILPOINTS).toBe('vault.rotate=crash@1');
});

test('a server can be stopped and started again on its port', async () => {
  const { port } = stack.servers.nats;
  await stack.servers.nats.stop();
  expect(stack.servers.nats.pid).toBeUndefined();
  await stack.servers.nats.start();
  expect(stack.servers.nats.port).toBe(port);
});

test('a second start on the same data folder is refused and disturbs nothing', async () => {
  const pid = stack.pid('auth-1');
  await expect(startInstallation(options())).rejects.toThrow(AlreadyRunningError);
  const running = await findRunning(dataDir);
  expect(running).toMatchObject({ ready: true, url: stack.url });
  expect(running?.processes).toHaveLength(9);
  expect(stack.pid('auth-1')).toBe(pid);
});

test('switching the limits off is refused in production, before anything is created', async () => {
  const production = { ...options(), dataDir: join(dataDir, 'no'), environment: 'production' } as const;
  await expect(startInstallation({ ...production, rateLimits: 'off' })).rejects.toThrow(/production/);
  expect(existsSync(join(dataDir, 'no'))).toBe(false);
});

test('stop ends every process in order; the next start keeps secrets, data and ports', async () => {
  const secrets = async () =>
    (await readdir(stack.layout.secrets))
      .sort()
      .map((name) => readFileSync(stack.layout.secret(name), 'utf8'));
  const before = { secrets: await secrets(), ports: stack.nodes.map((each) => each.healthUrl) };
  // By more than their numbers, which others may get as soon as they are free.
  const processes = await Promise.all(stack.nodes.map((each) => identifyProcess(stack.pid(each.node)!)));
  await stack.stop();
  for (const identity of processes) expect(await isSameProcess(identity!)).toBe(false);
  expect(readFileSync(stack.logFiles['vault-1']!, 'utf8')).toContain('vault-1: stopped in order');
  expect(await findRunning(dataDir)).toBeUndefined();

  stack = await startInstallation({ ...options(), supervise: true });
  expect(await secrets()).toEqual(before.secrets);
  expect(stack.nodes.map((each) => each.healthUrl)).toEqual(before.ports);
  const starts = await asRole('claviger_vault', (client) => client.query('SELECT 1 FROM started'));
  expect(starts.rowCount).toBeGreaterThan(1);
});

test('under supervision a killed service and a killed server come back by themselves', async () => {
  const before = { vault: stack.pid('vault-1'), nats: stack.servers.nats.pid };
  await stack.kill('vault-1');
  stack.servers.nats.kill('SIGKILL');
  const another = (pid: number | undefined) => expect.toSatisfy((now) => now !== undefined && now !== pid);
  await expect.poll(() => stack.pid('vault-1')).toEqual(another(before.vault));
  await expect.poll(() => stack.servers.nats.pid).toEqual(another(before.nats));
  await stack.waitUntilReady();
});

test('a service that does not start fails the whole start with its own words, and leaves nothing running', async () => {
  await stack.stop();
  const broken = { ...options(), env: { workflow: { STAND_IN: 'refuse-to-start' } } };
  await expect(startInstallation(broken)).rejects.toThrow(
    /workflow-1 ended before it was ready[\s\S]*on purpose/,
  );
  expect(await findRunning(dataDir)).toBeUndefined();
  const failing = { ...options(), env: { audit: { STAND_IN: 'fail-migration' } } };
  await expect(startInstallation(failing)).rejects.toThrow(/migrating audit failed[\s\S]*on purpose/);
});

test('a sealed service ends the start at once, with what to do', async () => {
  const sealed = { ...options(), env: { vault: { STAND_IN: 'sealed' } } };
  await expect(startInstallation(sealed)).rejects.toThrow(/vault-1 is sealed[\s\S]*restore the right file/);
});

test('settings for no service, or that are no JSON, fail the start with the name of the file', async () => {
  const { settingsFile } = layoutOf(dataDir);
  writeFileSync(settingsFile, '{"oauth": {}}');
  await expect(startInstallation(options())).rejects.toThrow(/settings\.json: "oauth" must be one of/);
  writeFileSync(settingsFile, '{');
  await expect(startInstallation(options())).rejects.toThrow(/settings\.json is not JSON/);
  rmSync(settingsFile);
});

test('a data folder that was moved takes its data along', async () => {
  const moved = `${dataDir}-moved`;
  renameSync(dataDir, moved);
  dataDir = moved;
  stack = await startInstallation(options());
  const starts = await asRole('claviger_vault', (client) => client.query('SELECT 1 FROM started'));
  expect(starts.rowCount).toBeGreaterThan(1);
});
