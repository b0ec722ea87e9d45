import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { soleReplica } from '@claviger/cluster';
import * as audit from '@claviger/contracts/audit/v1/audit';
import {
  canonicalEvent,
  createBus,
  macKeyOf,
  missingMessages,
  type OutboxMessage,
  outboxMac,
  startRelay,
} from '@claviger/events';
import { exportLines, verifyExport } from '@claviger/merkle';
import { createPeers, readSecretFile } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditBench, eventually, silent, startBench } from '../../test-support.ts';
import { findMissing } from './find-missing.ts';
import { ingestEvents } from './ingest-events.ts';

let bench: AuditBench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
});

function message(tenantId: string, change: object = {}): OutboxMessage {
  const { event, canonical } = canonicalEvent({
    v: 1,
    id: randomUUID(),
    tenantId,
    action: 'a.b',
    outcome: 'allowed',
    actorId: '',
    actorName: '',
    actorKind: 'service',
    subjectType: '',
    subjectId: '',
    resourceId: '',
    service: 'vault',
    sourceAddress: '',
    requestId: '',
    reason: '',
    details: {},
    occurredAt: new Date().toISOString(),
    ...change,
  });
  const mac = outboxMac(bench.keys.macs.get('vault')!, 'audit.vault', canonical);
  return {
    tenantId,
    eventId: event.id,
    subject: 'audit.vault',
    payload: canonical,
    mac,
    traceparent: undefined,
  };
}

const ingest = (messages: readonly OutboxMessage[]) =>
  ingestEvents({ database: bench.database, logger: silent, macs: bench.keys.macs }, messages);

const everything = {
  from: '',
  to: '',
  format: 'jsonl',
  userId: '',
  action: '',
  outcome: '',
  resourceId: '',
  subjectId: '',
  search: '',
  bom: false,
};

async function wholeLog(tenant: string) {
  const answers = bench.client.exportEvents(everything, await bench.as(tenant));
  async function* bytes() {
    for await (const { data } of answers) yield data;
  }
  const verdict = await verifyExport(exportLines(bytes()), { trustedKeys: [bench.keys.treeHeadPublic] });
  // The export is an event too: wait until it is sequenced, so that it does not affect the following steps.
  await bench.sequenced(tenant, verdict.events + 1);
  return verdict;
}

test('F-27 every event of eight writers arrives once despite an outage of NATS, and the log is complete', async () => {
  const tenant = randomUUID();
  const writer = async () => {
    const ids = [];
    for (let n = 0; n < 50; n += 1) ids.push(...(await bench.record(tenant, 5)));
    return ids;
  };
  const writers = Promise.all(Array.from({ length: 8 }, writer));
  await bench.sequenced(tenant, 50);
  await bench.stack.servers.nats.stop();
  await bench.record(tenant, 1);
  const written = await writers;
  await bench.stack.servers.nats.start();
  await bench.sequenced(tenant, 2_001);
  const rows = await bench.superuser(
    'SELECT event_id, sequence FROM events WHERE tenant_id = $1 ORDER BY sequence',
    [tenant],
  );
  expect(rows.map((row) => row.sequence)).toEqual(Array.from({ length: 2_001 }, (_, i) => i));
  const arrived = new Set(rows.map((row) => row.event_id));
  expect(written.flat().every((id) => arrived.has(id))).toBe(true);
  expect(await wholeLog(tenant)).toMatchObject({ ok: true });
});

test('events that NATS accepted and then lost with its files still arrive', async () => {
  const tenant = randomUUID();
  const { nats } = bench.stack.servers;
  await bench.record(tenant, 10);
  await bench.sequenced(tenant, 10);
  await bench.record(tenant, 40);
  await nats.stop();
  rmSync(join(nats.dataDir!, 'store'), { recursive: true });
  await bench.record(tenant, 10);
  await nats.start();
  expect((await bench.sequenced(tenant, 60)).size).toBe(60);
  expect(await wholeLog(tenant)).toMatchObject({ ok: true });
});

test('events that left the stream while audit was down, before audit stored them, arrive exactly once', async () => {
  const tenant = randomUUID();
  await bench.stack.kill('audit-1', 'SIGTERM');
  const ids = await bench.record(tenant, 20);
  const { nats } = bench.stack.servers;
  await using bus = createBus({
    url: nats.url,
    user: nats.operator,
    password: nats.passwords[nats.operator]!,
    name: 'thief',
    logger: silent,
  });
  {
    await using relay = startRelay({
      database: bench.database,
      logger: silent,
      cluster: soleReplica(silent),
      publishers: { audit: async (messages) => bus.publisher(messages) },
    });
    await eventually(async () => (await relay.runOnce()) === 0);
    // Consumes them in place of audit, without storing them.
    await using _thief = bus.consume({
      durable: 'audit',
      subject: 'audit.>',
      batch: 200,
      handle: async () => {},
    });
    await eventually(() => bus.auditPublisher(async () => []).arrival!.isDrained());
  }
  await bench.stack.restart('audit-1');
  expect((await bench.sequenced(tenant, 20)).size).toBe(20);
  const rows = await bench.superuser('SELECT event_id FROM events WHERE tenant_id = $1', [tenant]);
  expect(rows.map((row) => row.event_id as string).toSorted()).toEqual(ids.toSorted());
});

test('while NATS hangs, stored events are still sequenced', async () => {
  const tenant = randomUUID();
  const { nats } = bench.stack.servers;
  nats.kill('SIGSTOP');
  try {
    await bench.record(tenant, 1);
    await ingest(Array.from({ length: 300 }, () => message(tenant)));
    await bench.sequenced(tenant, 300);
  } finally {
    nats.kill('SIGCONT');
  }
  expect((await bench.sequenced(tenant, 301)).size).toBe(301);
});

test('events that are neither stored with their text nor kept as dead letters are missing', async () => {
  const tenant = randomUUID();
  const [stored, otherText, refused, unknown] = [
    message(tenant),
    message(tenant),
    { ...message(tenant), mac: randomBytes(32) },
    message(tenant),
  ];
  await ingest([stored, otherText, refused]);
  await bench.sequenced(tenant, 2);
  const changed = { ...message(tenant, { id: otherText.eventId, action: 'another' }) };
  const missing = missingMessages((events) => findMissing(bench.database, events));
  expect(await missing([stored, changed, refused, { ...refused, mac: randomBytes(32) }, unknown])).toEqual([
    changed,
    expect.objectContaining({ eventId: refused.eventId }),
    unknown,
  ]);
});

test('F-31 a redelivered batch, and an event twice in one batch, leave one row each', async () => {
  const tenant = randomUUID();
  const messages = Array.from({ length: 20 }, () => message(tenant));
  await ingest([...messages, ...messages.slice(0, 3)]);
  await Promise.all([ingest(messages), ingest(messages.toReversed())]);
  const head = await bench.sequenced(tenant, 20);
  expect(head.size).toBe(20);
  expect(await bench.superuser('SELECT 1 FROM events WHERE tenant_id = $1', [tenant])).toHaveLength(20);
});

test('F-33 a forged message becomes a dead letter with a reason and blocks no other', async () => {
  const tenant = randomUUID();
  const { nats } = bench.stack.servers;
  await using bus = createBus({
    url: nats.url,
    user: nats.operator,
    password: nats.passwords[nats.operator]!,
    name: 'forger',
    logger: silent,
  });
  const forged = { ...message(tenant), mac: outboxMac(macKeyOf(randomBytes(32)), 'audit.vault', 'x') };
  const foreign = { ...message(tenant), tenantId: randomUUID() };
  const noTenant = { ...message(tenant), tenantId: 'nobody', payload: '\u0000' };
  // This message has a valid MAC and unreadable content.
  const newer = message(tenant, { v: 2 });
  const mac = outboxMac(bench.keys.macs.get('vault')!, 'audit.vault', 'no JSON');
  const noJson = { ...message(tenant), payload: 'no JSON', mac };
  const bad = [forged, foreign, noTenant, newer, noJson];
  const good = message(tenant);
  await bus.publisher([...bad, good]);
  const head = await bench.sequenced(tenant, 1);
  expect(head.size).toBe(1);
  let letters: Record<string, unknown>[] = [];
  await eventually(async () => {
    letters = await bench.superuser('SELECT event_id, tenant_id, reason, payload FROM dead_letters');
    const logged = readFileSync(bench.stack.logFiles['audit-1']!, 'utf8');
    return bad.every(
      ({ eventId }) => letters.some((letter) => letter.event_id === eventId) && logged.includes(eventId),
    );
  });
  const of = (event: OutboxMessage) => letters.find((letter) => letter.event_id === event.eventId);
  expect(of(forged)).toMatchObject({
    reason: expect.stringContaining('MAC'),
    payload: Buffer.from(forged.payload),
  });
  expect(of(foreign)).toMatchObject({ reason: expect.stringContaining('tenant') });
  expect(of(noTenant)).toMatchObject({ tenant_id: 'nobody' });
});

test('of two events with one id, the first is kept and the second becomes a dead letter', async () => {
  const tenant = randomUUID();
  const id = randomUUID();
  const [first, second] = [message(tenant, { id }), message(tenant, { id, action: 'another' })];
  await ingest([first, second]);
  await ingest([second]);
  expect(await bench.superuser('SELECT canonical FROM events WHERE tenant_id = $1', [tenant])).toEqual([
    { canonical: first.payload },
  ]);
  expect(await bench.superuser('SELECT reason FROM dead_letters WHERE event_id = $1', [id])).toHaveLength(1);
});

test('text that columns cannot hold is kept exactly, and an event that cannot be stored blocks no other', async () => {
  const tenant = randomUUID();
  const odd = message(tenant, { reason: 'a\u0000b\u2028', details: { text: '\u0000' } });
  const unstorable = message(tenant, { occurredAt: '0000-01-01T00:00:00.000Z' });
  await ingest([unstorable, odd, message(tenant)]);
  await bench.sequenced(tenant, 2);
  const { event } = await bench.client.getEvent({ eventId: odd.eventId }, await bench.as(tenant));
  expect(event).toMatchObject({ canonical: odd.payload, reason: 'a\u0000b\u2028' });
  expect(await wholeLog(tenant)).toMatchObject({ ok: true, events: 2 });
  expect(
    await bench.superuser('SELECT reason FROM dead_letters WHERE event_id = $1', [unstorable.eventId]),
  ).toEqual([{ reason: expect.stringContaining('cannot be stored') }]);
});

test.each(['audit.ingest.before_ack', 'audit.seal.before_commit', 'audit.seal.after_commit'])(
  'a crash at %s neither loses nor duplicates events',
  async (point) => {
    const tenant = randomUUID();
    bench.arm(`${point}=crash`);
    const ids = await bench.record(tenant, 30);
    await eventually(async () => bench.stack.pid('audit-1') === undefined);
    bench.arm('');
    await bench.stack.restart('audit-1');
    const more = await bench.record(tenant, 1);
    await bench.sequenced(tenant, 31);
    const rows = await bench.superuser('SELECT event_id FROM events WHERE tenant_id = $1 AND sequence < 31', [
      tenant,
    ]);
    expect(rows.map((row) => row.event_id as string).toSorted()).toEqual([...ids, ...more].toSorted());
    expect(await wholeLog(tenant)).toMatchObject({ ok: true });
    expect((await bench.healthNow()).checks.find((check) => check.name === 'tree heads')?.ok).toBe(true);
  },
);

test('a service with the certificate of another service is not called', async () => {
  const { listen, ...own } = bench.config.grpc;
  const peers = createPeers({
    ...bench.config,
    grpc: { ...own, ...bench.stack.layout.leaf('gateway') },
    peers: { vault: [listen!] },
  });
  const client = peers.client('vault', audit.AuditService);
  await expect(client.listKeys({}, await bench.as(randomUUID()))).rejects.toMatchObject({
    reason: 'unavailable',
  });
  peers.close();
  expect(readSecretFile(bench.config.outboxMacKeyFile)).toMatch(/^[0-9a-f]{64}$/);
});
