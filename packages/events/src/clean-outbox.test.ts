import { randomUUID } from 'node:crypto';
import { soleLeadership, soleReplica } from '@claviger/cluster';
import { eventually } from '@claviger/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCleaner } from './clean-outbox.ts';
import { createEmitter, startRelay } from './index.ts';
import { startTestParts, type TestParts } from './test-parts.ts';

let parts: TestParts;
beforeAll(async () => {
  parts = await startTestParts();
});
afterAll(() => parts?.[Symbol.asyncDispose]());

const TENANT = randomUUID();
const ALWAYS = 0;

const announce = (name: string) =>
  parts.database.withTenant(TENANT, (tx) =>
    createEmitter({ service: 'vault', macKey: parts.macKey }).event(tx, TENANT, name, {}),
  );
const kept = async (): Promise<string[]> =>
  (await parts.scratch.query<{ event_id: string }>(`SELECT event_id FROM ${parts.schema.schema}.outbox`)).map(
    (row) => row.event_id,
  );
const age = (hours: number) =>
  parts.scratch.query(
    `UPDATE ${parts.schema.schema}.outbox SET published_at = published_at - interval '${hours} hours'`,
  );

test('an event stays in the outbox until its consumer has taken it up, however long that takes', async () => {
  await using bus = parts.bus();
  let isBroken = true;
  const arrived: string[] = [];
  await using _consumer = bus.consume({
    durable: 'slow',
    subject: 'event.slow',
    batch: 10,
    handle: async (messages) => {
      if (isBroken) throw new Error('on purpose');
      arrived.push(...messages.map((each) => each.eventId));
    },
  });
  const id = await announce('slow');
  {
    // Only until it has published: it cleans by itself, too.
    await using relay = startRelay({
      database: parts.database,
      logger: parts.logger,
      cluster: soleReplica(parts.logger),
      publishers: { event: bus.publisher },
    });
    await eventually(async () => {
      await relay.runOnce();
      expect(await parts.unpublished()).toBe(0);
    });
  }
  const store = async () => (await bus.publisher.storeCreatedAt!()).getTime();
  const cleaner = createCleaner(parts.database, 'event', bus.publisher, ALWAYS);
  await eventually(async () => expect((await bus.publisher.progress!()).consumed).toBeGreaterThanOrEqual(0));
  for (let turn = 0; turn < 5; turn += 1) await cleaner.runIfDue(await store(), soleLeadership);
  await age(48);
  for (let turn = 0; turn < 5; turn += 1) await cleaner.runIfDue(await store(), soleLeadership);
  expect(await kept()).toEqual([id]);
  isBroken = false;
  await eventually(() => expect(arrived).toEqual([id]));
  // A store that is not the one that was published to says nothing about what was published.
  await cleaner.runIfDue((await store()) - 1, soleLeadership);
  expect(await kept()).toEqual([id]);
  await eventually(async () => {
    await cleaner.runIfDue(await store(), soleLeadership);
    expect(await kept()).toEqual([]);
  });
});

test('what only has to be taken over stays for an hour', async () => {
  const taken: string[] = [];
  const publisher = async (messages: readonly { eventId: string }[]) => {
    taken.push(...messages.map((each) => each.eventId));
  };
  const id = await announce('any');
  {
    await using _relay = startRelay({
      database: parts.database,
      logger: parts.logger,
      cluster: soleReplica(parts.logger),
      publishers: { event: publisher },
    });
    await eventually(() => expect(taken).toEqual([id]));
    await eventually(async () => expect(await parts.unpublished()).toBe(0));
  }
  const cleaner = createCleaner(parts.database, 'event', publisher, ALWAYS);
  await cleaner.runIfDue(undefined, soleLeadership);
  expect(await kept()).toEqual([id]);
  await age(1);
  const other = createCleaner(parts.database, 'job', publisher, ALWAYS);
  await other.runIfDue(undefined, soleLeadership);
  expect(await kept()).toEqual([id]);
  await cleaner.runIfDue(undefined, soleLeadership);
  expect(await kept()).toEqual([]);
});
