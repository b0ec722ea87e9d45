import { spawn } from 'node:child_process';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
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
  // Nothing listens on port 1: the peers are unavailable.
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

test('the process answers only callers with a token for it', async () => {
  const requests = peers.client('workflow', workflow.RequestsService);
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

test('PostgreSQL variables of the environment are ignored, and TLS without verification is refused', async () => {
  const { configFile } = installation.nodes.find((each) => each.service === 'workflow')!;
  const migrate = (env: Record<string, string>) => {
    const main = join(import.meta.dirname, 'main.ts');
    const child = spawn(process.execPath, [main, 'migrate', '--config', configFile], {
      env: { PATH: process.env.PATH, ...env },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    return once(child, 'close').then(([code]: unknown[]) => ({ code, said }));
  };
  const [deaf, refused] = await Promise.all([
    migrate({
      PGHOST: '127.0.0.1',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGPASSWORD: 'wrong',
      PGDATABASE: 'elsewhere',
      PGSSLMODE: 'verify-full',
      PGREPLICATION: 'database',
      PGOPTIONS: '-c default_transaction_read_only=on',
      PGAPPNAME: 'other',
      HOME: '/nowhere',
    }),
    migrate({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }),
  ]);
  expect(deaf).toMatchObject({ code: 0, said: '' });
  expect(refused).toMatchObject({ code: 1, said: expect.stringMatching(/unset it.*NODE_EXTRA_CA_CERTS/s) });
});

test('a request is refused while the vault is unavailable, and the failure is audited', async () => {
  const requests = peers.client('workflow', workflow.RequestsService);
  const who = actor(['requests.*']);
  const ask = requests.createRequest(
    { entryId: randomUUID(), resourceId: '', reason: 'change 4711', durationMinutes: 30, ticket: '' },
    { actorToken: await tokenOf(who) },
  );
  await expect(ask).rejects.toMatchObject({ reason: 'unavailable' });
  const { postgres } = installation.servers;
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
