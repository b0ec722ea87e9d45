import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTraceExporter } from './trace-exporter.ts';

let status = 200;
let answer = '{}';
const collector = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(status).end(answer));
});
/** A server without HTTP, like the gRPC port of a collector. */
const other = createTcpServer((socket) => socket.end('\0\0\x12\x04'));
const portOf = (server: Server) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  for (const server of [collector, other]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
  other.close();
});

/** A service that creates spans, and its log. */
function service(endpoint: string, reportEveryMs?: number) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line) => lines.push(JSON.parse(line)) });
  const exporter = createTraceExporter({ endpoint, logger, reportEveryMs });
  const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const batch = async (spans: number) => {
    for (let n = 0; n < spans; n += 1) provider.getTracer('test').startSpan('span').end();
    await provider.forceFlush();
  };
  return { lines, batch, provider };
}

test('the first failure is logged at once, then its end, and all lost spans are counted', async () => {
  const endpoint = `http://127.0.0.1:${portOf(collector)}/`;
  const { lines, batch, provider } = service(endpoint);
  await batch(1);
  expect(lines).toEqual([]);
  status = 404;
  for (const spans of [2, 3, 4]) await batch(spans);
  expect(lines).toEqual([
    {
      level: 40,
      endpoint,
      reason: '404: Not Found',
      lostSpans: 2,
      msg: expect.stringContaining('otlpEndpoint'),
    },
  ]);
  status = 200;
  for (let n = 0; n < 3; n += 1) await batch(1);
  expect(lines.slice(1)).toEqual([
    { level: 30, endpoint, lostSpans: 7, msg: 'delivery of traces works again' },
  ]);
  // Repeated changes are not logged more often.
  for (let n = 0; n < 5; n += 1) {
    status = 404;
    await batch(1);
    status = 200;
    await batch(1);
  }
  expect(lines).toHaveLength(2);
  status = 404;
  await batch(1);
  await provider.shutdown();
  expect(lines.slice(2)).toMatchObject([{ level: 40, lostSpans: 6 }]);
  status = 200;
});

test('a continuing failure is logged again after a time with the spans lost since, whatever the endpoint answers', async () => {
  for (const [endpoint, reason] of [
    [`http://127.0.0.1:${portOf(other)}`, /^HPE_/],
    [`https://127.0.0.1:${portOf(collector)}`, /SSL|EPROTO/],
  ] as const) {
    const { lines, batch } = service(endpoint, 0);
    await batch(2);
    await batch(3);
    expect(lines, endpoint).toMatchObject([
      { level: 40, endpoint, lostSpans: 2, reason: expect.stringMatching(reason) },
      { level: 40, endpoint, lostSpans: 3 },
    ]);
  }
});

test('a partial rejection by the collector is logged once, shortened', async () => {
  answer = JSON.stringify({
    partialSuccess: { rejectedSpans: '1', errorMessage: `quota ${'x'.repeat(1_000)}` },
  });
  const { lines, batch } = service(`http://127.0.0.1:${portOf(collector)}`);
  for (let n = 0; n < 3; n += 1) await batch(1);
  answer = '{}';
  expect(lines).toMatchObject([
    { level: 40, reason: expect.stringContaining('quota'), msg: 'some traces are lost' },
  ]);
  expect((lines[0]!.reason as string).length).toBeLessThanOrEqual(200);
});
