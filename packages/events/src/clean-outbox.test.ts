import { randomUUID } from 'node:crypto';
import { soleLeadership, soleReplica } from '@claviger/cluster';
import { eventually } from '@claviger/testkit';
import { DiscardPolicy, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCleaner } from './clean-outbox.ts';
import {
  AUDIT_STREAM,
  type Bus,
  createEmitter,
  EVENT_STREAM,
  type OutboxMessage,
  type Publisher,
  startRelay,
} from './index.ts';
import { startTestServers, type TestServers } from './test-servers.ts';

let servers: TestServers;
beforeAll(async () => {
  servers = await startTestServers();
});
afterAll(() => servers?.[Symbol.asyncDispose]());
beforeEach(() => servers.scratch.query(`TRUNCATE ${servers.schema.schema}.outbox`));

const TENANT = randomUUID();
const SECOND_NS = 1_000_000_000;

const emitter = () => createEmitter({ service: 'vault', macKey: servers.macKey });
const record = (): Promise<string> =>
  servers.database.withTenant(TENANT, async (tx) => {
    const { event } = await emitter().auditDuty(tx, {
      tenantId: TENANT,
      action: 'test.happened',
      outcome: 'allowed',
      subjectType: '',
      subjectId: '',
      resourceId: '',
      requestId: '',
      reason: '',
      details: {},
    });
    return event.id;
  });
const kept = async (): Promise<string[]> =>
  (
    await servers.scratch.query<{ event_id: string }>(`SELECT event_id FROM ${servers.schema.schema}.outbox`)
  ).map((row) => row.event_id);
/** As if that much time had passed since the publication. */
const age = (interval: string) =>
  servers.scratch.query(
    `UPDATE ${servers.schema.schema}.outbox SET published_at = published_at - interval '${interval}'`,
  );

/** What a consumer has stored, and how often each message arrived. */
function consumer() {
  const stored = new Set<string>();
  const came: string[] = [];
  return {
    stored,
    came,
    missing: async (messages: readonly OutboxMessage[]) =>
      messages.filter((message) => !stored.has(message.eventId)),
    handle: async (messages: readonly OutboxMessage[]) => {
      for (const { eventId } of messages) {
        came.push(eventId);
        stored.add(eventId);
      }
    },
  };
}

const consume = (bus: Bus, handle: (messages: readonly OutboxMessage[]) => Promise<void>) =>
  bus.consume({ durable: 'audit', subject: 'audit.>', batch: 10, handle });

/** Publishes all pending rows, without the duty that checks them afterwards. */
async function publishAll(publisher: Publisher): Promise<void> {
  await using relay = startRelay({
    database: servers.database,
    logger: servers.logger,
    cluster: soleReplica(servers.logger),
    publishers: { audit: async (messages) => publisher(messages) },
  });
  await eventually(async () => {
    await relay.runOnce();
    expect(await servers.unpublished()).toBe(0);
  });
}

const cleanerOf = (publisher: Publisher) =>
  createCleaner({ database: servers.database, logger: servers.logger, kind: 'audit', publisher });

async function manager() {
  const { nats } = servers;
  const connection = await connect({
    servers: nats.url,
    user: nats.operator,
    pass: nats.passwords[nats.operator]!,
  });
  const { streams } = await jetstreamManager(connection);
  return { streams, [Symbol.asyncDispose]: () => connection.close() };
}

test('an event stays in the outbox until its consumer has stored it', async () => {
  await using bus = servers.bus();
  const { stored, missing } = consumer();
  const publisher = bus.auditPublisher(missing);
  const id = await record();
  await publishAll(publisher);
  const cleaner = cleanerOf(publisher);
  await age('48 hours');
  await cleaner.confirmNext(soleLeadership);
  await cleaner.removeOld(soleLeadership);
  expect(await kept()).toEqual([id]);
  stored.add(id);
  await cleaner.removeOld(soleLeadership);
  expect(await kept()).toEqual([]);
  await using taken = takeRest(bus);
  await taken.drained();
});

/** Consumes what a test left in the stream. */
function takeRest(bus: Bus) {
  const consuming = consume(bus, async () => {});
  const { isDrained } = bus.auditPublisher(async () => []).arrival!;
  return {
    drained: () => eventually(async () => expect(await isDrained()).toBe(true)),
    [Symbol.asyncDispose]: () => consuming[Symbol.asyncDispose](),
  };
}

test('nothing is removed while the consumer is unavailable', async () => {
  const away = async (): Promise<never> => Promise.reject(new Error('away'));
  const publisher = Object.assign(async () => {}, {
    arrival: { missing: away, isDrained: async () => true },
  });
  const id = await record();
  await publishAll(publisher);
  await age('48 hours');
  await expect(cleanerOf(publisher).removeOld(soleLeadership)).rejects.toThrow('away');
  expect(await kept()).toEqual([id]);
});

test('events that expired in the stream during an outage of their consumer arrive once and expire no more', async () => {
  await using admin = await manager();
  const { stored, came, missing, handle } = consumer();
  const ids = [await record(), await record(), await record()];
  {
    await using bus = servers.bus();
    await publishAll(bus.auditPublisher(missing));
    await admin.streams.update(AUDIT_STREAM, { max_age: SECOND_NS / 5, duplicate_window: SECOND_NS / 5 });
    await eventually(async () => expect((await admin.streams.info(AUDIT_STREAM)).state.messages).toBe(0));
  }
  // The consumer starts: its bus first updates the stream to the limits of this release.
  await using bus = servers.bus();
  await using _consuming = consume(bus, handle);
  const publisher = bus.auditPublisher(missing);
  await age('1 minute');
  await cleanerOf(publisher).confirmNext(soleLeadership);
  await eventually(() => expect([...stored].sort()).toEqual(ids.toSorted()));
  expect(came.toSorted()).toEqual(ids.toSorted());
  expect((await admin.streams.info(AUDIT_STREAM)).config).toMatchObject({
    max_age: 0,
    discard: DiscardPolicy.New,
    retention: RetentionPolicy.Workqueue,
  });
});

test('an event that was consumed but not stored is published again, although the stream knows its id', async () => {
  await using bus = servers.bus();
  const { stored, missing, handle } = consumer();
  let drop = true;
  await using _consuming = consume(bus, async (messages) => {
    if (!drop) await handle(messages);
  });
  const publisher = bus.auditPublisher(missing);
  const id = await record();
  await publishAll(publisher);
  await eventually(async () => expect(await publisher.arrival!.isDrained()).toBe(true));
  drop = false;
  await age('1 minute');
  await cleanerOf(publisher).confirmNext(soleLeadership);
  await eventually(() => expect([...stored]).toEqual([id]));
});

test('messages still in the stream are not published again', async () => {
  await using bus = servers.bus();
  const { stored, came, missing, handle } = consumer();
  const publisher = bus.auditPublisher(missing);
  const ids = [await record(), await record()];
  await publishAll(publisher);
  await age('1 minute');
  const cleaner = cleanerOf(publisher);
  await cleaner.confirmNext(soleLeadership);
  await using _consuming = consume(bus, handle);
  await eventually(() => expect([...stored].sort()).toEqual(ids.toSorted()));
  expect(came).toHaveLength(2);
});

test('a full stream refuses new events and drops none; they arrive when there is space', async () => {
  await using admin = await manager();
  await using bus = servers.bus();
  const { stored, missing, handle } = consumer();
  const publisher = bus.auditPublisher(missing);
  const first = await record();
  await publishAll(publisher);
  await admin.streams.update(AUDIT_STREAM, { max_bytes: 1_000 });
  const second = await record();
  const refusal = publisher([
    {
      tenantId: TENANT,
      eventId: second,
      subject: 'audit.vault',
      payload: 'x'.repeat(1_000),
      mac: Buffer.alloc(32),
      traceparent: undefined,
    },
  ]);
  await expect(refusal).rejects.toThrow('is full: events wait in the outbox');
  await using _consuming = consume(bus, handle);
  await eventually(() => expect(stored.has(first)).toBe(true));
  await publishAll(publisher);
  await eventually(() => expect(stored.has(second)).toBe(true));
});

test('events in the single stream of an older release arrive after the update', async () => {
  await using admin = await manager();
  for (const name of [AUDIT_STREAM, EVENT_STREAM]) await admin.streams.delete(name).catch(() => {});
  await admin.streams.add({
    name: EVENT_STREAM,
    subjects: ['claviger.audit.>', 'claviger.event.>'],
    discard: DiscardPolicy.New,
    deny_delete: true,
    deny_purge: true,
    max_age: 7 * 24 * 3_600 * SECOND_NS,
    duplicate_window: 600 * SECOND_NS,
  });
  const { stored, missing, handle } = consumer();
  const id = await record();
  await publishAll(async (messages) => {
    const { nats } = servers;
    await using sender = await connect({
      servers: nats.url,
      user: nats.operator,
      pass: nats.passwords[nats.operator]!,
    }).then((connection) => ({ connection, [Symbol.asyncDispose]: () => connection.close() }));
    for (const message of messages) sender.connection.publish(`claviger.${message.subject}`, message.payload);
    await sender.connection.flush();
  });
  await using bus = servers.bus();
  await using _consuming = consume(bus, handle);
  await age('1 minute');
  await cleanerOf(bus.auditPublisher(missing)).confirmNext(soleLeadership);
  await eventually(() => expect([...stored]).toEqual([id]));
  expect((await admin.streams.info(EVENT_STREAM)).config.subjects).toEqual(['claviger.event.>']);
});

test('messages without an arrival check stay in the outbox for an hour', async () => {
  const publisher = async () => {};
  const id = await record();
  await publishAll(publisher);
  const cleaner = cleanerOf(publisher);
  await age('30 minutes');
  await cleaner.removeOld(soleLeadership);
  expect(await kept()).toEqual([id]);
  await age('31 minutes');
  await cleaner.removeOld(soleLeadership);
  expect(await kept()).toEqual([]);
});
