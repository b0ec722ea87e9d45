import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Logger } from './logger.ts';
import { createTraceExporter } from './trace-exporter.ts';

/** Registers what records and sends spans. Loaded only by services with an OTLP endpoint. */
export function registerTraceProvider(options: {
  readonly service: string;
  readonly node: string;
  readonly otlpEndpoint: string;
  readonly logger: Logger;
}): { shutdown(): Promise<void> } {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.namespace': 'claviger',
      'service.instance.id': options.node,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: createTraceExporter({ endpoint: options.otlpEndpoint, logger: options.logger }),
        scheduledDelayMillis: 500,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return { shutdown: () => provider.shutdown() };
}
