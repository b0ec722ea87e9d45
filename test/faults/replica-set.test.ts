import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@claviger/backing-servers';
import * as health from '@claviger/contracts/cluster/v1/health';
import { ensureServiceCertificate, openCertificateAuthority } from '@claviger/identity';
import { type BaseConfig, createPeers, type Lookup, requireEvery } from '@claviger/service-kit';
import { eventually, startDnsServer } from '@claviger/testkit';
import { beforeAll, expect, test } from 'vitest';
import { freeze } from '../support/freeze.ts';
import { type Answer, serveHealth } from '../support/health-replica.ts';

// A caller and replicas of one service that it finds by DNS, on real sockets with mutual TLS.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-replicas-'));
  const ca = await openCertificateAuthority(folder, 'ca', 'Test CA');
  for (const service of ['vault', 'gateway']) {
    const files = { certFile: join(folder, `${service}.crt`), keyFile: join(folder, `${service}.key`) };
    await ensureServiceCertificate(ca, 'test', service, files);
  }
  return () => rm(folder, { recursive: true });
});

const configOf = (service: string, node: string, listen: string): BaseConfig => ({
  environment: 'test',
  node,
  logLevel: 'error',
  grpc: {
    listen,
    certFile: join(folder, `${service}.crt`),
    keyFile: join(folder, `${service}.key`),
    caFile: join(folder, 'ca.crt'),
  },
  health: { listen: '127.0.0.1:0' },
  peers: {},
  redis: { host: '', port: 0, passwordFile: '' },
  nats: { url: '', user: '', passwordFile: '' },
  telemetry: {},
});

async function serve(listen: string, answer: Answer) {
  const replica = await serveHealth(configOf('vault', listen, listen), answer);
  return { drain: replica.drain, [Symbol.asyncDispose]: () => replica.drain(0) };
}

/** A replica that can be paused and reports how many calls have reached it. */
async function serveInProcess() {
  const script = new URL('../support/health-replica.ts', import.meta.url).pathname;
  const config = JSON.stringify(configOf('vault', 'vault-1', '127.0.0.1:0'));
  const child = spawn(process.execPath, [script, config], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  return {
    pid: child.pid!,
    address: `127.0.0.1:${String(port).trim()}`,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function call(addresses: string[], lookup?: Lookup) {
  const config = { ...configOf('gateway', 'gateway-1', ''), peers: { vault: addresses } };
  const peers = createPeers(config, undefined, lookup);
  const { getHealth } = peers.client('vault', health.HealthService);
  return {
    peers,
    node: async (requestId?: string, more = {}) => (await getHealth({}, { requestId, ...more })).node,
    [Symbol.dispose]: () => peers.close(),
  };
}

test('calls are distributed to one, three and two replicas behind a name, and none fails', async () => {
  await using dns = await startDnsServer();
  const port = await freePort();
  const release = Promise.withResolvers<void>();
  const answer =
    (ip: string): Answer =>
    async (requestId) => {
      if (requestId.startsWith('long')) await release.promise;
      // Takes some time, on purpose, so that each replica has several calls at once.
      else await new Promise((resolve) => setTimeout(resolve, 10));
      return ip;
    };
  const [one, two, three] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;
  await using _first = await serve(`${one}:${port}`, answer(one));
  dns.set('vault.test', [one]);
  using caller = call([`vault.test:${port}`], dns.lookup);

  // Eight callers send calls continuously.
  let running = true;
  const failures: unknown[] = [];
  const answers: { node: string; atMs: number }[] = [];
  const load = Array.from({ length: 8 }, async () => {
    while (running) {
      const node = await caller.node().catch((error: unknown) => void failures.push(error));
      if (node) answers.push({ node, atMs: performance.now() });
    }
  });
  /** Milliseconds until exactly these replicas serve 200 calls, each at least half of an equal share. */
  const spreadOver = async (...nodes: string[]): Promise<number> => {
    const since = performance.now();
    await eventually(() => {
      const last = answers.slice(-200);
      expect(last.length === 200 && last[0]!.atMs > since).toBe(true);
      const counts = Map.groupBy(last, ({ node }) => node);
      expect([...counts.keys()].sort()).toEqual(nodes);
      for (const served of counts.values()) expect(served.length).toBeGreaterThan(100 / nodes.length);
    });
    return performance.now() - since;
  };
  await spreadOver(one);

  await using _second = await serve(`${two}:${port}`, answer(two));
  const third = await serve(`${three}:${port}`, answer(three));
  dns.set('vault.test', [one, two, three]);
  expect(await spreadOver(one, two, three)).toBeLessThan(10_000);

  // The third replica has calls that outlast its DNS record, and ends once they are answered.
  const long = Array.from({ length: 12 }, (_, i) => caller.node(`long-${i}`, { timeoutMs: 60_000 }));
  dns.set('vault.test', [one, two]);
  const lookups = dns.lookups;
  await eventually(() => expect(dns.lookups).toBeGreaterThan(lookups));
  const drained = third.drain(60_000);
  expect(await spreadOver(one, two)).toBeLessThan(10_000);
  release.resolve();
  expect(new Set(await Promise.all(long))).toEqual(new Set([one, two, three]));
  await drained;

  running = false;
  await Promise.all(load);
  expect(failures).toEqual([]);
});

test('a broken stream causes a look-up at once; a failing or empty DNS answer changes nothing', async () => {
  await using dns = await startDnsServer();
  const port = await freePort();
  const first = await serve(`127.0.0.1:${port}`, () => 'first');
  dns.set('vault.test', ['127.0.0.1']);
  using caller = call([`vault.test:${port}`], dns.lookup);
  expect(await caller.node()).toBe('first');
  dns.fail(true);
  const afterLookup = async () => {
    const { lookups } = dns;
    await eventually(() => expect(dns.lookups).toBeGreaterThan(lookups));
  };
  await afterLookup();
  dns.fail(false);
  dns.set('vault.test', []);
  await afterLookup();
  expect(await caller.node()).toBe('first');

  // The next regular look-up is five seconds later.
  await using _second = await serve(`127.0.0.2:${port}`, () => 'second');
  dns.set('vault.test', ['127.0.0.2']);
  const since = performance.now();
  await first.drain(0);
  await afterLookup();
  expect(performance.now() - since).toBeLessThan(4_500);
  expect(await caller.node()).toBe('second');
});

const hasIpv6 = Object.values(networkInterfaces()).some((found) =>
  found?.some((each) => each.address === '::1'),
);
test.runIf(hasIpv6)('replicas are found by several names, by IPv6 and by addresses alike', async () => {
  await using dns = await startDnsServer();
  const port = await freePort();
  const [v4, v6] = ['127.0.0.1', '[::1]'].map((host) => `${host}:${port}`) as [string, string];
  await using _first = await serve(v4, () => 'v4');
  await using _second = await serve(v6, () => 'v6');
  const reached = async (addresses: string[]) => {
    using caller = call(addresses, dns.lookup);
    const found = new Set<string>();
    await eventually(async () => {
      found.add(await caller.node());
      expect(found.size).toBe(2);
    });
    return (await caller.peers.each('vault', health.HealthService, (replica) => replica.getHealth({}))).map(
      (each) => each.address,
    );
  };
  dns.set('a.test', ['127.0.0.1']);
  dns.set('b.test', ['::1']);
  dns.set('both.test', ['127.0.0.1', '::1']);
  for (const names of [[`a.test:${port}`, `b.test:${port}`], [`both.test:${port}`], [v4, v6]])
    expect(await reached(names)).toEqual([v4, v6]);
});

test('a paused replica receives a bounded number of bytes, and no frames of ended calls', async () => {
  await using frozen = await serveInProcess();
  using caller = call([frozen.address]);
  expect(await caller.node()).toBe('1');
  const thaw = freeze(frozen.pid);
  const ended = new AbortController();
  const mebibyte = 'x'.repeat(1024 * 1024);
  // No call is answered, and refusals come at once.
  const refused: unknown[] = [];
  const calls = Array.from({ length: 200 }, () =>
    caller
      .node(mebibyte, { signal: ended.signal, timeoutMs: 60_000 })
      .catch((error: unknown) => void refused.push(error)),
  );
  await eventually(() => expect(refused.length).toBeGreaterThan(150));
  expect(refused.length).toBeLessThan(200);
  for (const error of refused) expect(error).toMatchObject({ reason: 'unavailable', retryAfterSeconds: 1 });
  const taken = 200 - refused.length;
  expect(taken).toBeGreaterThan(10);
  expect(taken).toBeLessThan(24);

  // Dropping their frames makes room for other calls, which arrive.
  ended.abort();
  await Promise.all(calls);
  const last = caller.node(undefined, { timeoutMs: 60_000 });
  thaw[Symbol.dispose]();
  expect(Number(await last)).toBeLessThan(8);
});

test('every replica is called, and one that does not confirm is named', async () => {
  await using frozen = await serveInProcess();
  const port = await freePort();
  const live = ['127.0.0.1', '127.0.0.2'].map((ip) => `${ip}:${port}`) as [string, string];
  await using _first = await serve(live[0], () => 'first');
  await using _second = await serve(live[1], () => 'second');
  await using dns = await startDnsServer();
  using caller = call([...live, frozen.address], dns.lookup);
  const ask = () =>
    caller.peers.each('vault', health.HealthService, async (replica) => (await replica.getHealth({})).node);
  expect(requireEvery('vault', await ask()).sort()).toEqual(['1', 'first', 'second']);
  const thaw = freeze(frozen.pid);
  const answers = await ask();
  expect(answers.flatMap((each) => (each.error ? [] : [each.answer]))).toEqual(['first', 'second']);
  expect(() => requireEvery('vault', answers)).toThrow(
    `1 of 3 replicas of vault did not confirm: ${frozen.address}`,
  );
  thaw[Symbol.dispose]();
  expect(requireEvery('vault', await ask())).toHaveLength(3);

  // The set of replicas is unknown while a name cannot be resolved.
  using unknown = call([...live, `vault.test:${port}`], dns.lookup);
  await expect(
    unknown.peers.each('vault', health.HealthService, (replica) => replica.getHealth({})),
  ).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringContaining('vault.test') });
});
