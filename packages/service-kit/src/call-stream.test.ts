import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as cluster from '@claviger/contracts/cluster/v1/health';
import { ClavigerError } from '@claviger/errors';
import { ensureServiceCertificate, openCertificateAuthority } from '@claviger/identity';
import { pino } from 'pino';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createPeers, type Peers } from './client.ts';
import type { BaseConfig } from './config.ts';
import type { Handlers } from './handlers.ts';
import { createRpcServer, type RpcServer } from './server.ts';

type Health = Handlers<typeof cluster.HealthService>;

let folder: string;
const undo: (() => Promise<unknown> | unknown)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-call-stream-'));
  const ca = await openCertificateAuthority(folder, 'ca', 'Test CA');
  for (const service of ['auth', 'gateway']) {
    await ensureServiceCertificate(ca, 'test', service, {
      certFile: join(folder, `${service}.crt`),
      keyFile: join(folder, `${service}.key`),
    });
  }
  return () => rm(folder, { recursive: true });
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const configOf = (service: string, peers: readonly string[]): BaseConfig => ({
  environment: 'test',
  node: `${service}-1`,
  logLevel: 'error',
  grpc: {
    listen: '127.0.0.1:0',
    certFile: join(folder, `${service}.crt`),
    keyFile: join(folder, `${service}.key`),
    caFile: join(folder, 'ca.crt'),
  },
  health: { listen: '127.0.0.1:0' },
  peers: peers.length > 0 ? { auth: [...peers] } : {},
  redis: { host: '', port: 0, passwordFile: '' },
  nats: { url: '', user: '', passwordFile: '' },
  telemetry: {},
});

const withListen = (config: BaseConfig, listen: string): BaseConfig => ({
  ...config,
  grpc: { ...config.grpc, listen },
});

async function serve(
  getHealth: Health['getHealth'],
  listen = '127.0.0.1:0',
): Promise<{ server: RpcServer; address: string }> {
  const server = createRpcServer({
    config: withListen(configOf('auth', []), listen),
    logger: pino({ level: 'silent' }),
    verifyActor: async () => {
      throw new Error('not used');
    },
    recordOutcome: async () => {},
  });
  server.add(cluster.HealthService, { getHealth });
  const address = `127.0.0.1:${await server.listen()}`;
  undo.push(() => server.drain(0));
  return { server, address };
}

function connect(addresses: readonly string[]): { peers: Peers; health: ReturnType<typeof clientOf> } {
  const peers = createPeers(configOf('gateway', addresses));
  undo.push(() => peers.close());
  return { peers, health: clientOf(peers) };
}
const clientOf = (peers: Peers) => peers.client('auth', cluster.HealthService);

const answer = (node: string) => ({ service: 'auth', node, version: '', status: 'ok', checks: [] });

test('each of a thousand concurrent calls gets its own answer', async () => {
  const { address } = await serve(async (_, context) => answer(context.requestId));
  const { health } = connect([address]);
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => health.getHealth({}, { requestId: `r${i}` })),
  );
  expect(answers.map(({ node }) => node)).toEqual(Array.from({ length: 1_000 }, (_, i) => `r${i}`));
});

test('an error keeps its reason, code, fields and hint, and affects no other call', async () => {
  const { address } = await serve(async (_, context) => {
    if (context.requestId === 'bad') {
      throw new ClavigerError('conflict', 'No.', {
        code: 'wrong_status',
        hint: 'Wait.',
        fields: [{ pointer: '/a', detail: 'b' }],
        cause: new Error('inner'),
      });
    }
    return answer('fine');
  });
  const { health } = connect([address]);
  const [bad, fine] = await Promise.allSettled([
    health.getHealth({}, { requestId: 'bad' }),
    health.getHealth({}),
  ]);
  expect(bad).toMatchObject({
    reason: {
      reason: 'conflict',
      code: 'wrong_status',
      message: 'No.',
      hint: 'Wait.',
      fields: [{ pointer: '/a', detail: 'b' }],
    },
  });
  expect(fine).toMatchObject({ value: { node: 'fine' } });
});

test('a call past its deadline fails with deadline_exceeded, and its handler is aborted', async () => {
  let heard = false;
  const { address } = await serve((_, context) => {
    context.signal.addEventListener('abort', () => {
      heard = true;
    });
    return new Promise(() => {});
  });
  const { health } = connect([address]);
  // Repeated if the deadline passes before the call reaches its handler.
  await expect
    .poll(async () => {
      await expect(health.getHealth({}, { timeoutMs: 200 })).rejects.toMatchObject({
        reason: 'deadline_exceeded',
      });
      return heard;
    })
    .toBe(true);
});

test('when the server dies, running calls fail with unavailable, and later ones after the connect time-out', async () => {
  const entered = Promise.withResolvers<void>();
  const { server, address } = await serve(() => {
    entered.resolve();
    return new Promise(() => {});
  });
  const { health } = connect([address]);
  const waiting = health.getHealth({});
  await entered.promise;
  void server.drain(0);
  await expect(waiting).rejects.toMatchObject({ reason: 'unavailable' });
  await expect(health.getHealth({})).rejects.toMatchObject({ reason: 'unavailable' });
});

test('time in which this process is stopped does not count towards the connect time-out', async () => {
  const { address } = await serve(async () => answer('there'));
  const { health } = connect([address]);
  const waiting = health.getHealth({}, { timeoutMs: 60_000 });
  const since = performance.now();
  while (performance.now() - since < 2_500);
  expect((await waiting).node).toBe('there');
});

test('a call waits for a server that is starting', async () => {
  const first = await serve(async () => answer('before'));
  const { health } = connect([first.address]);
  expect((await health.getHealth({})).node).toBe('before');
  await first.server.drain(0);
  // A call on the broken stream fails; afterwards the client knows that the stream is broken.
  await expect(health.getHealth({}, { timeoutMs: 100 })).rejects.toBeInstanceOf(ClavigerError);
  const waiting = health.getHealth({});
  await serve(async () => answer('after'), first.address);
  expect((await waiting).node).toBe('after');
});

test('a silent replica gets no calls while another one answers', async () => {
  const frozen = await serve(() => new Promise(() => {}));
  const lively = await serve(async () => answer('lively'));
  const { health } = connect([frozen.address, lively.address]);
  const first = Promise.allSettled([1, 2, 3, 4].map(() => health.getHealth({}, { timeoutMs: 4_000 })));
  await expect
    .poll(async () => {
      const answers = await Promise.allSettled(
        [1, 2, 3, 4].map(() => health.getHealth({}, { timeoutMs: 300 })),
      );
      return answers.filter((each) => each.status === 'fulfilled').length;
    })
    .toBe(4);
  await first;
});

test('a long poll does not make a replica count as silent', async () => {
  const happened = Promise.withResolvers<void>();
  const waited = async (_: unknown, { requestId }: { requestId: string }) => {
    if (requestId === 'wait') await happened.promise;
    return answer('waits');
  };
  const waiting = await serve(waited);
  const other = await serve(async () => answer('other'));
  const { health } = connect([waiting.address, other.address]);
  await expect.poll(async () => (await health.getHealth({})).node).toBe('waits');
  const calls = [1, 2].map(() => health.getHealth({}, { requestId: 'wait', waits: true }));
  const since = performance.now();
  // As long as it takes until a replica counts as silent.
  await expect.poll(() => performance.now() - since).toBeGreaterThan(1_600);
  // Repeated if this process was stopped meanwhile: then both replicas count as silent.
  await expect
    .poll(async () => {
      const asked = [1, 2, 3, 4].map(async () => (await health.getHealth({})).node);
      return [...new Set(await Promise.all(asked))].sort();
    })
    .toEqual(['other', 'waits']);
  happened.resolve();
  await Promise.all(calls);
});

test('a draining server finishes running calls and gets no new ones; they go to the other replica', async () => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const first = await serve(async (_, context) => {
    if (context.requestId === 'slow') {
      entered.resolve();
      await release.promise;
    }
    return answer('first');
  });
  const second = await serve(async () => answer('second'));
  const { health } = connect([first.address, second.address]);
  await expect
    .poll(
      async () => new Set(await Promise.all([1, 2, 3, 4].map(async () => (await health.getHealth({})).node))),
    )
    .toEqual(new Set(['first', 'second']));
  const slow = Promise.any(
    Array.from({ length: 2 }, () =>
      health
        .getHealth({}, { requestId: 'slow', timeoutMs: 60_000 })
        .then((each) => (each.node === 'first' ? each : Promise.reject())),
    ),
  );
  await entered.promise;
  const drained = first.server.drain(60_000);
  for (let i = 0; i < 50; i += 1) {
    const { node } = await health.getHealth({});
    if (i > 2) expect(node).toBe('second');
  }
  release.resolve();
  expect((await slow).node).toBe('first');
  await drained;
});
