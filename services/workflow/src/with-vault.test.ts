import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { createTemporaryDataDir, type Installation, startInstallation } from '@claviger/installation';
import { type Actor, type BaseConfig, createPeers, type Peers, signActorToken } from '@claviger/service-kit';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { APPROVER, codeOf, REQUESTER } from '../test-support.ts';

// Two workflow processes and a vault, called as by a gateway.
let dataDir: string;
let installation: Installation;
let nodes: { peers: Peers; requests: Requests; grants: Grants }[];
let entries: ReturnType<typeof entriesOf>;

type Requests = ReturnType<typeof requestsOf>;
type Grants = ReturnType<typeof grantsOf>;
const requestsOf = (peers: Peers) => peers.client('workflow', workflow.RequestsService);
const grantsOf = (peers: Peers) => peers.client('workflow', workflow.GrantsService);
const entriesOf = (peers: Peers) => peers.client('vault', vault.EntriesService);

const tenantId = randomUUID();
const SECRET = 'correct horse battery staple';

beforeAll(async () => {
  dataDir = await createTemporaryDataDir();
  // Nothing listens on port 1: audit is not needed here.
  const peers = { audit: ['127.0.0.1:1'] };
  installation = await startInstallation({
    dataDir,
    environment: 'test',
    services: ['auth', 'vault', 'workflow'],
    replicas: { workflow: 2 },
    overrides: {
      auth: { peers },
      vault: { peers },
      workflow: { peers, sweepIntervalMs: 100 },
    },
  });
  const { layout } = installation;
  const gateway = { ...layout.leaf('gateway'), caFile: layout.internalCa };
  const addressOf = (service: string) =>
    installation.nodes.filter((each) => each.service === service).map((each) => each.grpcAddress!);
  const base = JSON.parse(readFileSync(installation.nodes[0]!.configFile, 'utf8')) as BaseConfig;
  nodes = addressOf('workflow').map((address) => {
    const made = createPeers({
      ...base,
      grpc: gateway,
      peers: { workflow: [address], vault: addressOf('vault') },
    });
    return { peers: made, requests: requestsOf(made), grants: grantsOf(made) };
  });
  entries = entriesOf(nodes[0]!.peers);
});
afterAll(async () => {
  for (const node of nodes ?? []) node.peers.close();
  await installation?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

function person(permissions: readonly string[]): Actor {
  const userId = randomUUID();
  return {
    userId,
    userName: `user-${userId.slice(0, 8)}`,
    tenantId,
    sessionId: randomUUID(),
    kind: 'user',
    permissions: new Set(permissions),
    roles: [],
    mfaPending: false,
    platform: false,
    mfaAt: 0,
  };
}

/** Call options for few calls: the token is short-lived. */
async function as(who: Actor): Promise<{ actorToken: string; timeoutMs: number }> {
  const key = createPrivateKey(readFileSync(installation.layout.secret('actor-token.pem'), 'utf8'));
  const { token } = await signActorToken(who, ['workflow', 'vault'], key);
  return { actorToken: token, timeoutMs: 60_000 };
}

/** A caller that is refused because of too many concurrent changes tries again. */
function answerOf<T>(call: () => Promise<T>): Promise<PromiseSettledResult<T>> {
  return eventually(async () => {
    const [answer] = await Promise.allSettled([call()]);
    if (answer!.status === 'rejected' && answer!.reason.code === 'unavailable') throw answer!.reason;
    return answer!;
  });
}

async function ask(requester: Actor): Promise<string> {
  const { entry } = await entries.createEntry(
    {
      name: `entry ${randomUUID()}`,
      type: 'password',
      resourceId: '',
      username: 'root',
      secret: SECRET,
      generate: false,
      description: '',
      tags: [],
      rotationIntervalHours: 0,
      requiresGrant: true,
      requiresReason: false,
    },
    await as(person(['*'])),
  );
  const { request } = await nodes[0]!.requests.createRequest(
    { entryId: entry!.id, resourceId: '', reason: 'change 4711', durationMinutes: 30, ticket: '' },
    await as(requester),
  );
  return request!.id;
}

async function approve(requestId: string, node = 0): Promise<string> {
  const decision = { requestId, comment: '', digest: '', durationMinutes: undefined };
  const { request } = await nodes[node]!.requests.approveRequest(decision, await as(person(APPROVER)));
  return request!.grantId;
}

async function statusOf(requester: Actor, grantId: string): Promise<string> {
  return (await nodes[1]!.grants.getGrant({ grantId }, await as(requester))).grant!.status;
}

test('H-170 one of 50 decisions in two processes counts; one of 50 deliveries contains the secret, with its receipt', async () => {
  const requester = person(REQUESTER);
  const requestId = await ask(requester);
  const approvers = await Promise.all(Array.from({ length: 50 }, () => as(person(APPROVER))));
  const decision = { requestId, comment: '', digest: '', durationMinutes: undefined };
  const decisions = await Promise.all(
    approvers.map((token, index) =>
      answerOf(() => nodes[index % 2]!.requests.approveRequest(decision, token)),
    ),
  );
  expect(decisions.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
  const lost = decisions.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
  expect(new Set(lost)).toEqual(new Set(['wrong_status']));
  const { request } = await nodes[1]!.requests.getRequest({ requestId }, await as(requester));
  const grantId = request!.grantId;
  // If the vault was slow to answer, it receives the grant a moment later.
  await eventually(async () => expect(await statusOf(requester, grantId)).toBe('active'));
  const token = await as(requester);
  const deliveries = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      answerOf(() => nodes[index % 2]!.grants.getGrantCredentials({ grantId }, token)),
    ),
  );
  const given = deliveries.filter((each) => each.status === 'fulfilled');
  expect(given).toHaveLength(1);
  expect(given[0]!.value).toMatchObject({
    secret: SECRET,
    username: 'root',
    receipt: { action: 'vault.credentials.delivered', tenantId },
  });
  const codes = deliveries.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
  expect(new Set(codes)).toEqual(new Set(['already_delivered']));
});

test('H-174 after a concurrent revocation has answered, nothing is delivered, and a disclosed secret is recorded', async () => {
  const requester = person(REQUESTER);
  const revoke = async (grantId: string, token: { actorToken: string }) => {
    const revoking = nodes[1]!.grants.revokeGrant({ grantId, reason: '' }, token);
    if ((await codeOf(revoking)) !== 'revocation_pending') return (await revoking).grant;
    // The vault took longer than the deadline: the call is repeated.
    return eventually(async () => {
      const { grant } = await nodes[1]!.grants.getGrant({ grantId }, await as(requester));
      expect(grant!.rotation).not.toBe('');
      return grant;
    });
  };
  for (let round = 0; round < 100; round++) {
    const grantId = await approve(await ask(requester));
    const token = await as(requester);
    const [delivery, grant] = await Promise.all([
      codeOf(nodes[0]!.grants.getGrantCredentials({ grantId }, token)),
      revoke(grantId, token),
    ]);
    expect(['ok', 'wrong_status', 'grant_ended', 'not_found']).toContain(delivery);
    // The entry is not an account: the disclosed secret cannot be rotated, and the grant reports this.
    expect(grant).toMatchObject({
      status: 'revoked',
      rotation: delivery === 'ok' ? 'impossible' : 'not-needed',
    });
    const again = nodes[0]!.grants.getGrantCredentials({ grantId }, await as(requester));
    expect(await codeOf(again)).toBe('wrong_status');
  }
});

test('approvals and revocations are stored while the vault is down, and take effect when it is back', async () => {
  const requester = person(REQUESTER);
  const [asked, granted] = [await ask(requester), await approve(await ask(requester))];
  await installation.kill('vault-1');
  const waiting = await approve(asked, 1);
  expect(await statusOf(requester, waiting)).toBe('activating');
  const tooEarly = nodes[0]!.grants.getGrantCredentials({ grantId: waiting }, await as(requester));
  expect(await codeOf(tooEarly)).toBe('wrong_status');
  const revocation = nodes[0]!.grants.revokeGrant({ grantId: granted, reason: '' }, await as(requester));
  expect(await codeOf(revocation)).toBe('revocation_pending');
  expect(await statusOf(requester, granted)).toBe('revoked');
  await installation.restart('vault-1');
  await eventually(async () => expect(await statusOf(requester, waiting)).toBe('active'));
  const { secret } = await nodes[1]!.grants.getGrantCredentials({ grantId: waiting }, await as(requester));
  expect(secret).toBe(SECRET);
  // Revoking again waits for the confirmation, or finds it.
  await eventually(async () => {
    const again = nodes[0]!.grants.revokeGrant({ grantId: granted, reason: '' }, await as(requester));
    expect(await codeOf(again)).toBe('wrong_status');
  });
});
