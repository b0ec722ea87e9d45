import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  assertTerm,
  type HostedDuty,
  type Leadership,
  raiseTerm,
  soleLeadership,
  soleReplica,
} from '@claviger/cluster';
import { eventually } from '@claviger/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  boundMac,
  createEmitter,
  macKeyOf,
  type OutboxMessage,
  type Publisher,
  RefusedMessages,
  startRelay,
} from './index.ts';
import { startTestServers, type TestServers } from './test-servers.ts';

let servers: TestServers;
beforeAll(async () => {
  servers = await startTestServers();
});
afterAll(() => servers?.[Symbol.asyncDispose]());
afterEach(() => servers.scratch.query(`TRUNCATE ${servers.schema.schema}.outbox`));

const TENANT = randomUUID();
const ROLE = 'relay';

async function raise(node: string): Promise<number> {
  const term = await raiseTerm(servers.database, ROLE, node);
  if (term === 'demoted') throw new Error(`${node} is demoted`);
  return term;
}

function emitterOf() {
  return createEmitter({ service: 'vault', macKey: servers.macKey });
}

async function announce(name: string, payload: object = {}): Promise<string> {
  return servers.database.withTenant(TENANT, (tx) => emitterOf().event(tx, TENANT, name, payload));
}

/** The received messages, and how often each id was handled. */
function inbox() {
  const effects = new Map<string, OutboxMessage>();
  const deliveries: string[] = [];
  return {
    effects,
    deliveries,
    handle: async (messages: readonly OutboxMessage[]) => {
      for (const message of messages) {
        deliveries.push(message.eventId);
        effects.set(message.eventId, message);
      }
    },
  };
}

function relayOf(publishers: Readonly<Record<string, Publisher>>) {
  return startRelay({
    database: servers.database,
    logger: servers.logger,
    cluster: soleReplica(servers.logger),
    publishers,
  });
}

test('F-27 each event of concurrent long and short transactions arrives, with two relays, one killed, and an outage of NATS', async () => {
  const { nats } = servers;
  await using consumerBus = servers.bus();
  const [busA, busB] = [servers.bus(), servers.bus()];
  const arrived = inbox();
  await using _consumer = consumerBus.consume({
    durable: 'whole',
    subject: 'event.whole',
    batch: 50,
    handle: arrived.handle,
  });
  const relayA = relayOf({ event: busA.publisher });
  const relayB = relayOf({ event: busB.publisher });
  const sent = new Set<string>();
  let outage: Promise<void> | undefined;
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 25; round += 1) {
        const ids: string[] = [];
        const attempt = servers.database.withTenant(TENANT, async (tx) => {
          ids.push(await emitterOf().event(tx, TENANT, 'whole', { writer, round }));
          // Every other transaction commits long after its row was inserted.
          if (writer % 2 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
          ids.push(await emitterOf().event(tx, TENANT, 'whole', { writer, round, second: true }));
          if (round % 5 === 4) throw new Error('rolled back on purpose');
        });
        if (
          await attempt.then(
            () => true,
            () => false,
          )
        )
          for (const id of ids) sent.add(id);
        if (round === 8 && writer === 0) {
          outage = (async () => {
            nats.kill('SIGKILL');
            await nats.stop();
            await relayA[Symbol.asyncDispose]();
            await nats.start();
          })();
        }
      }
    }),
  );
  await outage;
  expect(sent.size).toBe(8 * 20 * 2);
  await eventually(() => expect(arrived.effects.size).toBe(sent.size));
  await eventually(async () => expect(await servers.unpublished()).toBe(0));
  expect(new Set(arrived.effects.keys())).toEqual(sent);
  await relayB[Symbol.asyncDispose]();
  await busA[Symbol.asyncDispose]();
  await busB[Symbol.asyncDispose]();
});

test('a message has tenant, id and MAC; neither tenant nor id can be changed', async () => {
  await using bus = servers.bus();
  const arrived = inbox();
  await using _consumer = bus.consume({
    durable: 'mac',
    subject: 'event.mac',
    batch: 10,
    handle: arrived.handle,
  });
  await using _relay = relayOf({ event: bus.publisher });
  const id = await announce('mac', { a: 1 });
  await eventually(() => expect(arrived.effects.has(id)).toBe(true));
  const message = arrived.effects.get(id)!;
  const key = macKeyOf(servers.macKey);
  expect(message.tenantId).toBe(TENANT);
  expect(boundMac(key, message).equals(message.mac)).toBe(true);
  for (const change of [
    { tenantId: randomUUID() },
    { eventId: randomUUID() },
    { payload: '{"a":2}' },
    { subject: 'event.x' },
  ])
    expect(boundMac(key, { ...message, ...change }).equals(message.mac)).toBe(false);
});

test('F-33 a batch whose handling failed is delivered again and acknowledged only after success', async () => {
  await using bus = servers.bus();
  await using _relay = relayOf({ event: bus.publisher });
  let refusals = 2;
  const arrived = inbox();
  await using _consumer = bus.consume({
    durable: 'again',
    subject: 'event.again',
    batch: 10,
    handle: async (messages) => {
      if (refusals-- > 0) throw new Error('on purpose');
      await arrived.handle(messages);
    },
  });
  const id = await announce('again');
  await eventually(() => expect(arrived.effects.has(id)).toBe(true));
});

test('an unavailable server of one kind does not block the other kinds', async () => {
  await using bus = servers.bus();
  const jobs: string[] = [];
  let redisAway = true;
  await using _relay = relayOf({
    event: bus.publisher,
    job: async (messages) => {
      if (redisAway) await new Promise((_, reject) => setTimeout(reject, 3_000, new Error('away')));
      jobs.push(...messages.map((message) => message.eventId));
    },
  });
  const arrived = inbox();
  await using _consumer = bus.consume({
    durable: 'flow',
    subject: 'event.flow',
    batch: 10,
    handle: arrived.handle,
  });
  const job = await servers.database.withTenant(TENANT, (tx) => emitterOf().job(tx, TENANT, 'some.job', {}));
  const event = await announce('flow');
  await eventually(() => expect(arrived.effects.has(event)).toBe(true));
  expect(jobs).toEqual([]);
  redisAway = false;
  await eventually(() => expect(jobs).toEqual([job]));
});

test('a row that can never be published is quarantined and does not block the rest', async () => {
  await using bus = servers.bus();
  const arrived = inbox();
  await using _consumer = bus.consume({
    durable: 'poison',
    subject: 'event.poison',
    batch: 10,
    handle: arrived.handle,
  });
  const poison = await announce('poison', { text: 'x'.repeat(2_000_000) });
  const sound = await announce('poison');
  await using _relay = relayOf({ event: bus.publisher });
  await eventually(() => expect(arrived.effects.has(sound)).toBe(true));
  const later = await announce('poison');
  await eventually(() => expect(arrived.effects.has(later)).toBe(true));
  expect(arrived.effects.has(poison)).toBe(false);
  // Marked after the bus has it, so possibly after its arrival.
  await eventually(async () => expect(await servers.unpublished()).toBe(1));
});

test('a publisher that does not answer times out, and the rows stay', async () => {
  let calls = 0;
  await announce('hang');
  await using _relay = relayOf({
    event: async () => {
      calls += 1;
      if (calls === 1) return new Promise(() => {});
      expect(await servers.unpublished()).toBe(1);
    },
  });
  await eventually(async () => expect(await servers.unpublished()).toBe(0));
  expect(calls).toBe(2);
});

test('while NATS hangs, the next term begins, and the former leader marks no rows', async () => {
  const { nats, database } = servers;
  await using bus = servers.bus();
  await bus.publisher.storeCreatedAt!();
  let term = await raise('former');
  const leadership: Leadership = { ...soleLeadership, assert: (tx) => assertTerm(tx, ROLE, term) };
  const id = await announce('hang');
  const asked = Promise.withResolvers<void>();
  const arrived = inbox();
  await using _consumer = bus.consume({
    durable: 'hang',
    subject: 'event.hang',
    batch: 10,
    handle: arrived.handle,
  });
  nats.kill('SIGSTOP');
  try {
    await using _relay = startRelay({
      database,
      logger: servers.logger,
      cluster: { ...soleReplica(servers.logger), leadership: () => leadership },
      publishers: {
        event: async (messages, options) => {
          asked.resolve();
          await bus.publisher(messages, options);
        },
      },
    });
    await asked.promise;
    // It would wait for a transaction of the relay that has asserted the former term.
    const next = await raise('next');
    expect(next).toBe(term + 1);
    nats.kill('SIGCONT');
    await eventually(() => expect(arrived.effects.has(id)).toBe(true));
    expect(await servers.unpublished()).toBe(1);
    // The next leader publishes it again: the same message for the bus, the same event for consumers.
    term = next;
    await eventually(async () => expect(await servers.unpublished()).toBe(0));
  } finally {
    nats.kill('SIGCONT');
  }
  expect([...arrived.effects.keys()]).toEqual([id]);
});

test('refused messages do not cause the others of their batch to be published again', async () => {
  const [first, second] = [await announce('mixed'), await announce('mixed')];
  const taken: string[] = [];
  await using _relay = relayOf({
    event: async (messages) => {
      const refused = messages.filter((message) => message.eventId === first);
      taken.push(
        ...messages.filter((message) => message.eventId !== first).map((message) => message.eventId),
      );
      if (refused.length > 0) throw new RefusedMessages(new Map([[first, 'on purpose']]));
    },
  });
  await eventually(async () => expect(await servers.unpublished()).toBe(1));
  expect(taken).toEqual([second]);
});

test('events of a lost stream are published to the new one, and its consumer continues', async () => {
  const { nats } = servers;
  await using bus = servers.bus();
  await using _relay = relayOf({ event: bus.publisher });
  const arrived = inbox();
  let seen = 0;
  await using _consumer = bus.consume({
    durable: 'lost',
    subject: 'event.lost',
    batch: 10,
    // Consumes nothing before the loss.
    handle: async (messages) => {
      seen += messages.length;
      if (seen <= 2) throw new Error('on purpose');
      await arrived.handle(messages);
    },
  });
  const ids = new Set([await announce('lost'), await announce('lost')]);
  await eventually(async () => expect(await servers.unpublished()).toBe(0));
  await nats.stop();
  await rm(join(nats.dataDir!, 'store'), { recursive: true });
  await nats.start();
  ids.add(await announce('lost'));
  await eventually(() => expect(new Set(arrived.effects.keys())).toEqual(ids));
});

test('the role of the relay can mark and delete rows but not change their contents', async () => {
  await announce('kept');
  for (const statement of [{ payload: '{}' }, { subject: 'event.other' }, { mac: Buffer.alloc(32) }]) {
    const attempt = servers.database.system((tx) => tx.updateTable('outbox').set(statement).execute());
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  }
  const unpublish = servers.database.system(async (tx) => {
    await tx.updateTable('outbox').set({ published_at: new Date() }).execute();
    return tx.updateTable('outbox').set({ published_at: null }).executeTakeFirst();
  });
  await expect(unpublish).rejects.toMatchObject({ code: '42501' });
  const removed = await servers.database.system((tx) => tx.deleteFrom('outbox').executeTakeFirst());
  expect(removed.numDeletedRows).toBe(0n);
  const read = servers.database.readTenant(TENANT, (tx) => tx.selectFrom('outbox').selectAll().execute());
  await expect(read).rejects.toMatchObject({ code: '42501' });
});

test('stopping is prompt while NATS is unavailable', async () => {
  const { nats } = servers;
  const bus = servers.bus();
  await bus.ping();
  await nats.stop();
  const consumer = bus.consume({ durable: 'gone', subject: 'event.gone', batch: 10, handle: async () => {} });
  const relay = relayOf({ event: bus.publisher });
  await announce('waiting');
  await expect(bus.ping()).rejects.toThrow();
  await relay[Symbol.asyncDispose]();
  await consumer[Symbol.asyncDispose]();
  await bus[Symbol.asyncDispose]();
  expect(await servers.unpublished()).toBe(1);
  await nats.start();
});

test('the relay queries the outbox twice a second while this replica writes nothing, and at once when it does', async () => {
  await using bus = servers.bus();
  const sole = soleReplica(servers.logger);
  const duties: HostedDuty[] = [];
  const cluster = {
    ...sole,
    add: (duty: HostedDuty) => {
      duties.push(duty);
      sole.add(duty);
    },
  };
  const { database, logger } = servers;
  await using relay = startRelay({ database, logger, cluster, publishers: { event: bus.publisher } });
  const runsOf = (duty: string) => duties.find(({ name }) => name === duty)!.state().runs;
  const runs = () => runsOf('outbox relay: event');
  await eventually(() => expect(runs()).toBeGreaterThan(0));
  const three = runsOf('outbox watch') + 3;
  const start = performance.now();
  await eventually(() => expect(runsOf('outbox watch')).toBeGreaterThanOrEqual(three));
  // Two whole pauses of at least 400 ms lie between three runs.
  expect(performance.now() - start).toBeGreaterThan(700);
  const before = runs();
  relay.expect('event');
  relay.expect('unknown');
  await eventually(() => expect(runs()).toBeGreaterThan(before));
});
