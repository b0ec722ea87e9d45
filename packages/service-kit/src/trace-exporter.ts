import { DiagLogLevel, diag } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from './logger.ts';

/** Includes retries; limits how long an unreachable collector delays the shutdown of a service. */
const TIMEOUT_MS = 5_000;
const REPORT_EVERY_MS = 600_000;
const MAX_REASON_LENGTH = 200;

export interface TraceExporterOptions {
  /** Base URL, valid by `otlpEndpointProblem`. */
  readonly endpoint: string;
  readonly logger: Logger;
  /** At most one line of each kind in this time; ten minutes by default. */
  readonly reportEveryMs?: number | undefined;
}

/**
 * Sends spans by OTLP over HTTP. Logs the first failure at once, then one line per ten minutes with the
 * number of lost spans, and one when delivery works again. A failure does not reach the caller.
 */
export function createTraceExporter(options: TraceExporterOptions): SpanExporter {
  const { endpoint, logger, reportEveryMs = REPORT_EVERY_MS } = options;
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: TIMEOUT_MS,
  });
  const mayReport = atMostEvery(reportEveryMs);
  let lostSpans = 0;
  let failing = false;
  const report = (reason: string): void => {
    failing = true;
    logger.warn(
      { endpoint, reason, lostSpans },
      'traces are lost: no OTLP over HTTP at telemetry.otlpEndpoint (usually port 4318)',
    );
    lostSpans = 0;
  };
  let lastReason = '';
  const finished = (result: ExportResult, spans: number): void => {
    if (result.code === ExportResultCode.SUCCESS) {
      if (!failing && (lostSpans === 0 || !mayReport())) return;
      logger.info({ endpoint, lostSpans }, 'delivery of traces works again');
      failing = false;
      lostSpans = 0;
      return;
    }
    lostSpans += spans;
    lastReason = reasonOf(result.error);
    if (mayReport()) report(lastReason);
  };
  reportDiagnostics(options);
  return {
    export: (spans: ReadableSpan[], done: (result: ExportResult) => void) =>
      exporter.export(spans, (result) => {
        finished(result, spans.length);
        // The failure is logged here. Reporting it to the processor would fail the shutdown.
        done({ code: ExportResultCode.SUCCESS });
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: async () => {
      await exporter.shutdown();
      if (lostSpans > 0) report(lastReason);
    },
  };
}

/** Logs spans that the library dropped and spans that the collector rejected. */
function reportDiagnostics({
  endpoint,
  logger,
  reportEveryMs = REPORT_EVERY_MS,
}: TraceExporterOptions): void {
  const mayReport = atMostEvery(reportEveryMs);
  const tell = (...said: unknown[]): void => {
    const reason = shortened(said.filter((each) => typeof each === 'string').join(' '));
    if (mayReport()) logger.warn({ endpoint, reason }, 'some traces are lost');
  };
  const nothing = (): void => {};
  diag.setLogger(
    { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

function atMostEvery(ms: number): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - last < ms) return false;
    last = now;
    return true;
  };
}

/**
 * Code or status, and message, e.g. `ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:4318` or `404: Not Found`.
 */
function reasonOf(error: Error | undefined): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return shortened([code, error?.message].filter(Boolean).join(': ') || 'unknown');
}

function shortened(text: string): string {
  return text.slice(0, MAX_REASON_LENGTH);
}
