import { type CommandOutcome, runInProcess } from '@claviger/cli/test-in-process';
import * as contract from '@claviger/contracts/cluster/v1/seal';
import { baseConfigSchema, createPeers, loadConfig } from '@claviger/service-kit';
import {
  eventually,
  type OtlpCollector,
  type StartedNetwork,
  startNetwork,
  startOtlpCollector,
  type TestTenant,
} from '@claviger/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oneTrace } from './suites/one-trace.ts';

const shamir = { rootKey: { provider: 'shamir' } };
const nodes = ['auth-1', 'vault-1', 'vault-2'];

let started: StartedNetwork;
let collector: OtlpCollector;
let shares: string[];
let tenant: TestTenant;
let entryId: string;

beforeAll(async () => {
  collector = await startOtlpCollector();
  started = await startNetwork({
    replicas: { vault: 2 },
    overrides: { vault: shamir, auth: shamir },
    otlpEndpoint: collector.endpoint,
  });
});
afterAll(async () => {
  await started?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
}, 60_000);

/** Runs the command with this standard input, which is never a terminal. */
const claviger = (args: readonly string[], input = ''): Promise<CommandOutcome> =>
  runInProcess(args, {
    env: { PATH: process.env.PATH ?? '', CLAVIGER_DATA_DIR: started.installation.dataDir },
    input,
  });

interface Replica {
  readonly node: string;
  readonly state: string;
  readonly sharesGiven: number;
  readonly sharesNeeded: number;
  readonly initialised: boolean;
  readonly code?: string;
}
const give = async (...texts: string[]): Promise<{ code: number; replicas: Replica[] }> => {
  const { code, stdout } = await claviger(['unseal', '--json'], `${texts.join('\n')}\n`);
  return { code, replicas: (JSON.parse(stdout) as { replicas: Replica[] }).replicas };
};
const ready = (node: string) =>
  fetch(`${started.installation.nodes.find((each) => each.node === node)!.healthUrl}/ready`);
const live = async (node: string) =>
  (await fetch(`${started.installation.nodes.find((each) => each.node === node)!.healthUrl}/live`)).status;
const readiness = async () => Promise.all(nodes.map(async (node) => (await ready(node)).text()));
/** The data stored under the root keys. */
const stored = () =>
  started.network.superuser(async (client) => {
    const { rows } = await client.query<{ text: string }>(
      `SELECT string_agg(query_to_xml(format('SELECT * FROM %s', name), true, false, '')::text, '') AS text
         FROM unnest(ARRAY['vault.root_key_canary', 'vault.keks', 'vault.entries', 'vault.entry_versions',
           'auth.root_key_canary', 'auth.tenants', 'auth.tenant_keys', 'auth.mfa_factors', 'auth.users']) AS name`,
    );
    return rows[0]!.text;
  });
/** A share with a changed secret and a valid checksum, as an attacker would make it. */
async function forged(text: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  const prefix = 'claviger-share-1-';
  const body = Buffer.from(text.slice(prefix.length), 'base64url').subarray(0, -4);
  body[12]! ^= 1;
  body[12 + 40]! ^= 1;
  const sum = createHash('sha256').update(prefix).update(body).digest().subarray(0, 4);
  return prefix + Buffer.concat([body, sum]).toString('base64url');
}
const retrieve = () => tenant.admin.client.post(`/api/v1/vault/entries/${entryId}/retrieve`, {});

test('services whose root key is in shares start sealed: live, not ready, with empty databases', async () => {
  expect(await readiness()).toEqual(['sealed\n', 'sealed\n', 'sealed\n']);
  expect(await Promise.all(nodes.map(live))).toEqual([200, 200, 200]);
});

test('init shows five shares once, and any three of them unseal every replica', async () => {
  const { code, stdout, stderr } = await claviger(['unseal', '--init', '--json']);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  ({ shares } = JSON.parse(stdout) as { shares: string[] });
  expect(new Set(shares).size).toBe(5);
  for (const share of shares) expect(stderr).not.toContain(share);
  await eventually(async () =>
    expect((await readiness()).every((text) => /ok|degraded/.test(text))).toBe(true),
  );
  await eventually(async () => expect((await ready('gateway-1')).status).toBe(200));
  // A second call creates nothing.
  const again = await claviger(['unseal', '--init', '--json']);
  expect(again.code).toBe(6);
  expect(again.stdout).toBe('');
  // From here on, its log records the actions of operators.
  await started.network.createPlatformAdministrator();
  tenant = await started.network.createTenant();
  const entry = await tenant.admin.client.must('POST', '/api/v1/vault/entries', {
    name: 'kept',
    secret: 'the secret',
  });
  entryId = entry.id as string;
  expect((await retrieve()).status).toBe(200);
});

test('seal drops the keys of every replica at once; three shares, one at a time, unseal them', async () => {
  const before = await stored();
  const sealed = await claviger(['seal', '--json']);
  expect(sealed.code).toBe(0);
  expect(await readiness()).toEqual(['sealed\n', 'sealed\n', 'sealed\n']);
  const first = await give(shares[4]!);
  expect(first.code).toBe(7);
  expect(
    first.replicas.map(({ node, sharesGiven, sharesNeeded }) => [node, sharesGiven, sharesNeeded]).sort(),
  ).toEqual(nodes.map((node) => [node, 1, 3]));
  // Entering the same share again makes no progress.
  expect((await give(shares[4]!)).replicas.map(({ sharesGiven }) => sharesGiven)).toEqual([1, 1, 1]);
  expect((await give(shares[0]!)).replicas.map(({ state }) => state)).toEqual(['sealed', 'sealed', 'sealed']);
  const last = await give(shares[2]!);
  expect(last).toMatchObject({
    code: 0,
    replicas: [{ state: 'open' }, { state: 'open' }, { state: 'open' }],
  });
  await eventually(async () => expect((await ready('gateway-1')).status).toBe(200));
  await eventually(async () => expect((await retrieve()).status).toBe(200));
  expect(await stored()).toBe(before);
});

test('a wrong share is detected, all shares are discarded, nothing is written, and the right ones still unseal', async () => {
  await claviger(['seal']);
  const before = await stored();
  // A truncated or mistyped share, or other text, is refused before anything is sent.
  const [share] = shares as [string];
  const mistyped = `${share.slice(0, 30)}${share[30] === 'x' ? 'y' : 'x'}${share.slice(31)}`;
  for (const text of [share.slice(0, -3), mistyped, 'hello'])
    expect((await claviger(['unseal'], text)).code).toBe(2);
  await give(shares[0]!, shares[1]!);
  const wrong = await give(await forged(shares[3]!));
  expect(wrong.code).not.toBe(0);
  expect(wrong.replicas.map(({ code }) => code)).toEqual(['wrong_shares', 'wrong_shares', 'wrong_shares']);
  // The valid shares of that attempt are discarded too.
  const after = await give(shares[2]!);
  expect(after.replicas.map(({ sharesGiven, state }) => [sharesGiven, state])).toEqual(
    Array(3).fill([1, 'sealed']),
  );
  expect(await stored()).toBe(before);
  expect((await give(shares[3]!, shares[0]!)).code).toBe(0);
});

test('H-332 only the operator can discard the shares entered so far', async () => {
  await claviger(['seal']);
  await give(shares[0]!, shares[1]!);
  const { installation } = started;
  const base = loadConfig(baseConfigSchema, installation.operator.configFile);
  const unset = {};
  // With the certificate of another service, the most that another process in the network could have.
  for (const service of ['gateway', 'workflow', 'vault']) {
    const peers = createPeers({ ...base, grpc: { ...base.grpc, ...installation.layout.leaf(service) } });
    const client = peers.client('auth', contract.SealService);
    for (const call of [client.discardShares, client.closeSeal, client.openSeal, client.getSeal])
      await expect(call(unset)).rejects.toMatchObject({ reason: 'denied' });
    peers.close();
  }
  // The REST API has no route to it.
  for (const path of ['/api/v1/admin/seal', '/api/v1/seal', '/claviger.cluster.v1.SealService/DiscardShares'])
    expect([401, 404]).toContain((await started.network.anonymous.post(path, {})).status);
  const state = await claviger(['unseal', '--cancel', '--json']);
  expect(state.code).toBe(0);
  const { replicas } = JSON.parse(state.stdout) as { replicas: Replica[] };
  expect(replicas.map(({ sharesGiven }) => sharesGiven)).toEqual([0, 0, 0]);
  expect((await give(shares[1]!, shares[3]!, shares[4]!)).code).toBe(0);
});

test('only a restarted replica is sealed; the others continue, and the shares unseal that replica', async () => {
  const { installation } = started;
  await installation.kill('vault-2');
  await installation.restart('vault-2');
  expect(await readiness()).toEqual([
    expect.stringMatching(/ok|degraded/),
    expect.stringMatching(/ok|degraded/),
    'sealed\n',
  ]);
  expect((await give(shares[1]!, shares[2]!, shares[3]!)).code).toBe(0);
  await eventually(async () => expect((await readiness())[2]).toMatch(/ok|degraded/));
});

test('the log of the platform contains the actions of operators, without any share', async () => {
  const all = await eventually(async () => {
    const { rows } = await started.network.superuser((client) =>
      client.query<{ canonical: string }>(
        `SELECT canonical FROM audit.events WHERE canonical LIKE '%"action":"seal.%' ORDER BY sequence`,
      ),
    );
    const events = rows.map(({ canonical }) => JSON.parse(canonical) as { action: string; outcome: string });
    expect(new Set(events.map(({ action, outcome }) => `${action} ${outcome}`))).toEqual(
      new Set([
        'seal.closed allowed',
        'seal.opened allowed',
        'seal.share-submitted allowed',
        'seal.share-submitted failed',
        'seal.shares-discarded allowed',
      ]),
    );
    return rows.map(({ canonical }) => canonical).join('\n');
  });
  for (const node of nodes) expect(all).toContain(node);
  for (const share of shares) expect(all).not.toContain(share.slice(40, 80));
});

describe('a trace', () =>
  oneTrace(
    () => started.network,
    () => collector,
  ));
