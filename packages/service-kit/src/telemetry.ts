import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Logger } from './logger.ts';

export { SpanKind };

const tracer = trace.getTracer('claviger');
let enabled = false;

/**
 * Sends spans by OTLP when an endpoint is configured. Spans for calls, transactions, relay and jobs carry
 * names and ids, never bodies, query strings or values.
 */
export async function startTelemetry(options: {
  service: string;
  node: string;
  otlpEndpoint?: string | undefined;
  /** Logs when spans cannot be delivered. */
  logger: Logger;
}): Promise<{
  shutdown(): Promise<void>;
}> {
  const { otlpEndpoint } = options;
  if (!otlpEndpoint) return { shutdown: async () => {} };
  const { registerTraceProvider } = await import('./trace-provider.ts');
  const provider = registerTraceProvider({ ...options, otlpEndpoint });
  enabled = true;
  return provider;
}

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** `traceparent` of the cause; the active span when absent. */
  readonly parent?: string | undefined;
}

/** Runs `work` inside a span. Does nothing else when telemetry is off. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span?: Span) => Promise<T>,
): Promise<T> {
  if (!enabled) return work();
  const parent = options.parent
    ? propagation.extract(context.active(), { traceparent: options.parent })
    : context.active();
  return tracer.startActiveSpan(
    name,
    {
      kind: options.kind ?? SpanKind.INTERNAL,
      ...(options.attributes ? { attributes: options.attributes } : {}),
    },
    parent,
    async (span) => {
      try {
        return await work(span);
      } catch (error) {
        // The error message may quote a request; its name is enough here.
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
        throw error;
      } finally {
        span.end();
      }
    },
  );
}

/**
 * Runs `work` for several causes, e.g. a batch of messages. Each cause's trace gets a span; child spans of
 * `work` belong to the first.
 */
export async function inSpans<T>(
  name: string,
  kind: SpanKind,
  parents: readonly (string | undefined)[],
  work: () => Promise<T>,
): Promise<T> {
  if (!enabled) return work();
  const [first, ...others] = [...new Set(parents.filter((parent) => parent !== undefined))];
  const spans = others.map((parent) =>
    tracer.startSpan(name, { kind }, propagation.extract(ROOT_CONTEXT, { traceparent: parent })),
  );
  try {
    return await inSpan(name, { kind, parent: first }, work);
  } catch (error) {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

/** `traceparent` of the active span, for metadata, message headers, outbox rows and job data. */
export function currentTraceparent(): string | undefined {
  if (!enabled) return undefined;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}
