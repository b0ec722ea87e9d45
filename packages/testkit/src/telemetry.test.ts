import {
  createLogger,
  currentTraceparent,
  inSpan,
  inSpans,
  SpanKind,
  startTelemetry,
} from '@claviger/service-kit';
import { expect, test } from 'vitest';
import { startOtlpCollector } from './otlp-collector.ts';

test('one trace goes through callers, messages and batches, and reaches an OTLP endpoint', async () => {
  await using collector = await startOtlpCollector();
  const logger = createLogger({ service: 'vault', node: 'vault-1', level: 'warn' });
  const { endpoint: otlpEndpoint } = collector;
  const telemetry = await startTelemetry({ service: 'vault', node: 'vault-1', otlpEndpoint, logger });
  const parents: string[] = [];
  for (const name of ['first', 'second']) {
    await inSpan(`call ${name}`, { kind: SpanKind.CLIENT }, async () => {
      const travelling = currentTraceparent()!;
      await inSpan(`serve ${name}`, { kind: SpanKind.SERVER, parent: travelling }, async () => {
        await inSpan(`transaction ${name}`, {}, async () => void parents.push(currentTraceparent()!));
      });
    });
  }
  await inSpans('relay', SpanKind.PRODUCER, [...parents, parents[0], undefined], async () => {
    await inSpan('publish', {}, async () => {});
  });
  await inSpan('failing', {}, async () => Promise.reject(new Error('canary-message'))).catch(() => undefined);
  await telemetry.shutdown();

  const one = (name: string) => collector.spans.find((span) => span.name === name)!;
  const traceOf = (name: string) => one(name).traceId;
  for (const name of ['first', 'second']) {
    expect(new Set(['call', 'serve', 'transaction'].map((step) => traceOf(`${step} ${name}`))).size).toBe(1);
    expect(one(`serve ${name}`).parentSpanId).toBe(one(`call ${name}`).spanId);
    expect(one(`transaction ${name}`).parentSpanId).toBe(one(`serve ${name}`).spanId);
  }
  const relays = collector.spans.filter((span) => span.name === 'relay');
  expect(relays.map((span) => span.traceId).sort()).toEqual(
    [traceOf('call first'), traceOf('call second')].sort(),
  );
  expect(traceOf('publish')).toBe(traceOf('call first'));
  expect(collector.spans.every((span) => span.service === 'vault')).toBe(true);
  expect(collector.bodies.join()).not.toContain('canary');
});
