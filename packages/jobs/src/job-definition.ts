import type { z } from 'zod';

/** A job with its contract: retry, retention and identity are decisions, not defaults. Payloads carry ids, never secrets. */
export interface JobDefinition<P> {
  /** Queue and job in one, e.g. `vault.rotate-credential`. */
  readonly queue: string;
  readonly payload: z.ZodType<P>;
  readonly attempts: number;
  /** Wait before the second try; doubles with each further one. */
  readonly backoffMs: number;
  readonly concurrency: number;
}

export interface JobContext {
  readonly tenantId: string;
  readonly jobId: string;
  readonly signal: AbortSignal;
}

/** What Redis holds. The MAC is the outbox row's: a job that somebody rewrote in Redis is refused. */
export interface JobEnvelope {
  tenantId: string;
  payload: string;
  mac: string;
  traceparent?: string;
}
