import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { workflow } from '@claviger/contracts';
import {
  createTemporaryDataDir,
  databaseName,
  type Installation,
  startInstallation,
} from '@claviger/installation';
import { type Actor, type BaseConfig, createPeers, type Peers, signActorToken } from '@claviger/service-kit';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

let dataDir: string;
let installation: Installation;
let peers: Peers;

beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
  // Nobody listens on port 1: the peers are away.
  const away = { auth: ['127.0.0.1:1'], vault: ['127.0.0.1:1'] };
  installation = await startInstallation({
    dataDir,
    environment: 'test',
    services: ['workflow'],
    overrides: { workflow: { peers: away, sweepIntervalMs: 100 } },
  });
  const node = installation.nodes.find((each) => each.service === 'workflow')!;
  const config = JSON.parse(readFileSync(node.configFile, 'utf8')) as BaseConfig;
  const { layout } = installation;
  peers = createPeers({
    ...config,
    grpc: { ...layout.leaf('gateway'), caFile: layout.internalCa },
    peers: { workflow: [node.grpcAddress!] },
  });
});
afterAll(async () => {
  peers?.close();
  await installation?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

function actor(permissions: readonly string[]): Actor {
  return {
    userId: randomUUID(),
    userName: 'ann',
    tenantId: randomUUID(),
    sessionId: randomUUID(),
    kind: 'user',
    permissions: new Set(permissions),
    roles: [],
    mfaPending: false,
    platform: false,
    mfaAt: 0,
  };
}

async function tokenOf(who: Actor, audience = 'workflow'): Promise<string> {
  const key = createPrivateKey(readFileSync(installation.layout.secret('actor-token.pem'), 'utf8'));
  return (await signActorToken(who, [audience], key)).token;
}

const page = {
  sortBy: '',
  sortOrder: '',
  cursor: '',
  status: '',
  from: '',
  to: '',
  userId: '',
  resourceId: '',
  search: '',
};

test('the process answers whoever has a token for it, and nobody else', async () => {
  const requests = peers.client('workflow', workflow.RequestsServiceService);
  const who = actor(['requests.*']);
  const list = { ...page, decidable: false };
  const answer = await requests.listRequests(list, { actorToken: await tokenOf(who) });
  expect(answer).toMatchObject({ items: [], totalItems: 0 });
  await expect(requests.listRequests(list)).rejects.toMatchObject({ reason: 'unauthenticated' });
  const forVault = tokenOf(who, 'vault');
  await expect(requests.listRequests(list, { actorToken: await forVault })).rejects.toMatchObject({
    reason: 'unauthenticated',
  });
  await expect(
    requests.listRequests(list, { actorToken: await tokenOf(actor(['grants.*'])) }),
  ).rejects.toMatchObject({ reason: 'denied' });
});

test('a request that the vault cannot vouch for is not made; the failure leaves its event', async () => {
  const requests = peers.client('workflow', workflow.RequestsServiceService);
  const who = actor(['requests.*']);
  const ask = requests.createRequest(
    { entryId: randomUUID(), resourceId: '', reason: 'change 4711', durationMinutes: 30, ticket: '' },
    { actorToken: await tokenOf(who) },
  );
  await expect(ask).rejects.toMatchObject({ reason: 'unavailable' });
  const { postgres } = installation.parts;
  const client = new Client({
    host: postgres.socketDir,
    port: postgres.port,
    user: postgres.superuser,
    password: postgres.password,
    database: databaseName,
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ payload: string }>(
      'SELECT payload FROM workflow.outbox WHERE tenant_id = $1',
      [who.tenantId],
    );
    expect(rows.map((row) => JSON.parse(row.payload))).toMatchObject([
      { action: 'request.created', outcome: 'failed', reason: 'unavailable', actorId: who.userId },
    ]);
  } finally {
    await client.end();
  }
});
