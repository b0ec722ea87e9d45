import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { layoutOf } from '@claviger/installation';
import { connectNetwork, enrolSecondFactor, type Network, type TestTenant } from '@claviger/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { setSiemTargets } from '../support/siem.ts';

let network: Network;
let tenant: TestTenant;
let ownServers: readonly string[];
beforeAll(async () => {
  network = connectNetwork(inject('network'));
  tenant = await network.createTenant();
  await enrolSecondFactor(tenant.admin.client);
  const config = JSON.parse(readFileSync(join(network.access.dataDir, 'config', 'vault-1.json'), 'utf8'));
  ownServers = config.outbound.ownServers;
});
afterAll(() => network?.[Symbol.asyncDispose]());

const everywhere = { allowedCidrs: ['0.0.0.0/0', '::/0'], allowedPorts: [{ from: 1, to: 65_535 }] };
const idOf = async (path: string, body: object) =>
  (await tenant.admin.client.must('POST', path, body)).id as string;

/** Result of a module test against a target, with a list that allows everything. */
async function testedModule(host: string, port: number): Promise<string> {
  const moduleId = await idOf('/api/v1/modules', {
    name: randomUUID(),
    type: 'postgres',
    config: everywhere,
  });
  const resourceId = await idOf('/api/v1/resources', {
    name: randomUUID(),
    type: 'database',
    moduleId,
    host,
    port,
    settings: { database: 'postgres', tls: { mode: 'disable' } },
  });
  await idOf('/api/v1/vault/entries', {
    name: randomUUID(),
    resourceId,
    username: randomUUID(),
    secret: 'y',
  });
  const { ok, problem } = await tenant.admin.client.must('POST', `/api/v1/modules/${moduleId}/test`, {});
  expect(ok).toBe(false);
  return problem as string;
}

async function testedSiem(host: string, port: number): Promise<string> {
  await setSiemTargets(tenant, [{ name: 'inside', transport: 'syslog-tcp', host, port }]);
  const { results } = await tenant.admin.client.must('POST', '/api/v1/admin/siem/test', {});
  return (results as { problem: string }[])[0]!.problem;
}

const CLOSED = /^The platform does not allow this address/;

test('no module or SIEM destination can reach a server of the platform, even if lists and operator allow it', async () => {
  // PostgreSQL, Redis, NATS, the calls, probes and edges of eight or more processes.
  expect(ownServers.length).toBeGreaterThanOrEqual(3 + 2 * 7);
  // Without the command, which refuses to open them.
  appendFileSync(
    layoutOf(network.access.dataDir).openTargetsFile,
    ownServers.map((own) => `${own}\n`).join(''),
  );
  await expect(network.openTargets(network.access.postgres.port)).rejects.toThrow('is never opened');
  for (const own of ownServers) {
    const port = Number(own.split(':').at(-1));
    expect([own, await testedSiem('127.0.0.1', port)]).toEqual([own, expect.stringMatching(CLOSED)]);
  }
  const { port } = network.access.postgres;
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.2', '::1'])
    expect([host, await testedModule(host, port)]).toEqual([host, expect.stringMatching(CLOSED)]);
});

test('addresses of this machine are closed until the operator opens one, without a restart', async () => {
  const server = createServer((socket) => void socket.on('error', () => {}).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    expect(await testedModule('127.0.0.1', port)).toMatch(CLOSED);
    expect(await testedSiem('127.0.0.1', port)).toMatch(CLOSED);
    await network.openTargets(port);
    expect(await testedModule('127.0.0.1', port)).not.toMatch(CLOSED);
    expect(await testedSiem('127.0.0.1', port)).not.toMatch(CLOSED);
    expect(await testedModule('127.0.0.2', port)).toMatch(CLOSED);
    for (const host of ['169.254.169.254', '0.0.0.0', '100.100.100.200'])
      expect([host, await testedModule(host, port)]).toEqual([host, expect.stringMatching(CLOSED)]);
  } finally {
    server.close();
  }
});
