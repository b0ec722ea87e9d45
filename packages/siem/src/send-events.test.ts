import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { targetPolicy } from '@claviger/outbound';
import { openLoopback, type RsyslogTarget, selfSignedCertificate, startRsyslog } from '@claviger/targets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cefEvent } from './cef.ts';
import { jsonEvent } from './json-event.ts';
import { sampleEvent } from './sample-event.ts';
import { sendEvents } from './send-events.ts';

let rsyslog: RsyslogTarget;
beforeAll(async () => {
  rsyslog = await startRsyslog();
});
afterAll(async () => rsyslog?.[Symbol.asyncDispose]());

const policy = targetPolicy({ cidrs: ['127.0.0.0/8'], ports: [{ from: 1, to: 65_535 }] }, openLoopback);
const loopback = { host: '127.0.0.1', format: 'json', facility: 13, maxMessageBytes: 8_192 } as const;
const some = (count: number, change = {}) => {
  const tenantId = randomUUID();
  return Array.from({ length: count }, (_, n) => sampleEvent({ tenantId, sequence: n, ...change }));
};
const received = async (tenantId: string) =>
  (await rsyslog.records()).filter(({ structuredData }) => structuredData.includes(tenantId));
const listening = async (onSocket: (socket: Socket) => void) => {
  const server = createServer({ allowHalfOpen: true }, onSocket).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
};

test.each(['syslog-tcp', 'syslog-tls'] as const)(
  'rsyslog has received a batch over %s, in order, when sending resolves',
  async (transport) => {
    const events = some(500, { reason: 'é "quoted" ]\nnext line' });
    const port = transport === 'syslog-tcp' ? rsyslog.ports.tcp : rsyslog.ports.tls;
    await sendEvents({ ...loopback, transport, port, ca: rsyslog.ca }, events, { policy });
    // Read without waiting: sending has already waited until rsyslog read everything.
    const records = await received(events[0]!.tenantId);
    expect(records.map(({ message }) => message.replace(/^\ufeff/, ''))).toEqual(
      events.map((event) => jsonEvent(event)),
    );
    expect(records[0]).toMatchObject({
      appName: 'claviger',
      procId: 'vault',
      msgId: 'vault.entry.retrieved',
      priority: '110',
    });
    expect(records[7]!.structuredData).toContain('sequence="7"');
  },
);

test('rsyslog gets CEF, and datagrams', async () => {
  const events = some(3);
  const destination = {
    ...loopback,
    transport: 'syslog-udp',
    port: rsyslog.ports.udp,
    format: 'cef',
  } as const;
  await sendEvents(destination, events, { policy });
  await expect
    .poll(async () =>
      (await received(events[0]!.tenantId)).map(({ message }) => message.replace(/^\ufeff/, '')),
    )
    .toEqual(events.map((event) => cefEvent(event)));
});

test('rsyslog with a limit of 2 KiB receives each event as one valid message', async () => {
  await using small = await startRsyslog({ maxMessageSize: '2k' });
  const ways = [
    ['syslog-tcp', small.ports.tcp],
    ['syslog-tls', small.ports.tls],
    ['syslog-udp', small.ports.udp],
  ] as const;
  const details = {
    names: Array.from({ length: 500 }, (_, n) => `entry ${n}`),
    note: 'é😀\n"'.repeat(2_000),
  };
  for (const [transport, port] of ways) {
    for (const format of ['json', 'cef'] as const) {
      const events = some(3, { details });
      const destination = { ...loopback, transport, port, format, ca: small.ca, maxMessageBytes: 2_048 };
      await sendEvents(destination, events, { policy });
      const taken = async () =>
        (await small.records()).filter(({ raw }) => raw.includes(events[0]!.tenantId));
      await expect.poll(async () => (await taken()).length).toBe(3);
      for (const [n, { structuredData, message, raw }] of (await taken()).entries()) {
        const { id } = events[n]!;
        const text = message.replace(/^\ufeff/, '');
        expect(Buffer.byteLength(raw)).toBeLessThanOrEqual(2_048);
        expect(structuredData).toMatch(
          new RegExp(
            `^\\[claviger@32473 id="${id}" .*\\]\\[cut@32473 bytes="\\d{5}" sha256="[0-9a-f]{64}"\\]$`,
          ),
        );
        if (format === 'json')
          expect(JSON.parse(text)).toMatchObject({ id, cut: { bytes: expect.any(Number) } });
        else
          expect(text).toMatch(
            new RegExp(`^CEF:0\\|.* externalId=${id} .* cn2Label=cutFromBytes cn2=\\d{5}$`),
          );
      }
    }
  }
  // No rest of a message became another message.
  expect(await small.records()).toHaveLength(18);
});

test('TLS: a destination that cannot prove its name gets nothing', async () => {
  const events = some(1);
  const destination = {
    ...loopback,
    transport: 'syslog-tls',
    port: rsyslog.ports.tls,
    ca: rsyslog.ca,
  } as const;
  await expect(sendEvents({ ...destination, ca: '' }, events, { policy })).rejects.toMatchObject({
    kind: 'untrusted',
  });
  await expect(
    sendEvents({ ...destination, serverName: 'other.example' }, events, { policy }),
  ).rejects.toMatchObject({
    kind: 'untrusted',
  });
  await sendEvents({ ...destination, serverName: 'localhost' }, events, { policy });
  expect(await received(events[0]!.tenantId)).toHaveLength(1);
});

test('a destination that the policy does not allow is not reached', async () => {
  const nothing = targetPolicy({ cidrs: [], ports: [{ from: 1, to: 65_535 }] }, openLoopback);
  const https = {
    transport: 'https',
    url: 'https://127.0.0.1:1/',
    ca: '',
    token: '',
    tokenScheme: 'Bearer',
  } as const;
  const destinations = [
    { ...loopback, transport: 'syslog-tcp', port: rsyslog.ports.tcp },
    { ...loopback, transport: 'syslog-udp', port: rsyslog.ports.udp },
    https,
  ] as const;
  for (const destination of destinations)
    await expect(sendEvents(destination, some(1), { policy: nothing })).rejects.toMatchObject({
      kind: 'not_allowed',
    });
});

test.each<[string, (socket: Socket) => void]>([
  ['closes before it has read everything', (socket) => socket.once('data', () => socket.end())],
  ['resets the connection', (socket) => socket.once('data', () => socket.resetAndDestroy())],
  [
    'dies with unread data',
    (socket) => {
      socket.pause();
      setImmediate(() => socket.destroy());
    },
  ],
  [
    'reads everything and then resets',
    (socket) => socket.resume().once('end', () => socket.resetAndDestroy()),
  ],
  ['never closes', (socket) => socket.resume()],
])('TCP: a destination that %s does not have the batch', async (_, behave) => {
  using destination = await listening((socket) => {
    socket.on('error', () => {});
    behave(socket);
  });
  const sending = sendEvents({ ...loopback, transport: 'syslog-tcp', port: destination.port }, some(2_000), {
    policy,
    totalTimeoutMs: 1_500,
  });
  await expect(sending).rejects.toMatchObject({ kind: 'unreachable' });
});

test('TCP: a destination that reads to the end and closes has the batch', async () => {
  using destination = await listening((socket) => socket.resume().once('end', () => socket.end()));
  await sendEvents({ ...loopback, transport: 'syslog-tcp', port: destination.port }, some(2_000), { policy });
});

test('UDP: an unused port is detected if the network reports it', async () => {
  using closed = await listening(() => {});
  const destination = { ...loopback, transport: 'syslog-udp', port: closed.port } as const;
  await expect(sendEvents(destination, some(3), { policy })).rejects.toMatchObject({ kind: 'unreachable' });
});

test('HTTPS: a batch is one POST with token and key; only 2xx is success, and no body of an answer is shown', async () => {
  const { certificate, privateKey } = await selfSignedCertificate();
  const seen: { headers: Record<string, unknown>; body: string }[] = [];
  let status = 200;
  const server = createHttps({ cert: certificate, key: privateKey }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ headers: request.headers, body });
    response.writeHead(status, { location: 'https://127.0.0.1:1/' }).end('inside-secret');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/events?x=1`;
  const destination = {
    transport: 'https',
    url,
    ca: certificate,
    token: 's3cret',
    tokenScheme: 'Splunk',
  } as const;
  const events = some(3);
  await sendEvents(destination, events, { policy });
  expect(seen[0]!.headers).toMatchObject({
    authorization: 'Splunk s3cret',
    'idempotency-key': `${events[0]!.tenantId}-0-2`,
    'content-type': 'application/json',
  });
  expect(JSON.parse(seen[0]!.body)).toEqual({ events });
  for (status of [302, 401, 500]) {
    const error = await sendEvents(destination, events, { policy }).catch((caught: Error) => caught);
    expect(error).toMatchObject({
      kind: 'protocol',
      message: `The destination answered with status ${status}.`,
    });
  }
  expect(seen).toHaveLength(4);
  await expect(sendEvents({ ...destination, ca: '' }, events, { policy })).rejects.toMatchObject({
    kind: 'untrusted',
  });
  server.close();
});
