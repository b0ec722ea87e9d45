import type { z } from 'zod';

/**
 * A kind of job. Retries and concurrency are explicit, without defaults. Payloads contain ids, never secrets.
 */
export interface JobDefinition<P> {
  /** Name of queue and job, e.g. `vault.rotate-credential`. */
  readonly queue: string;
  readonly payload: z.ZodType<P>;
  readonly attempts: number;
  /** Pause before the second attempt; doubles with each further one. */
  readonly backoffMs: number;
  readonly concurrency: number;
}

export interface JobContext {
  readonly tenantId: string;
  readonly jobId: string;
  readonly signal: AbortSignal;
}

/** The data in Redis. `mac` is the outbox row's MAC: a job that was modified in Redis is refused. */
export interface JobEnvelope {
  tenantId: string;
  payload: string;
  mac: string;
  traceparent?: string;
}
