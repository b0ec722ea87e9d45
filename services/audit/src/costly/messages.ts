import type { KeyObject } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { ErrorOptions, Reason } from '@claviger/errors';
import type { AuditConfig } from '../config.ts';
import type { ExportRequest } from '../exporting/export-chunks.ts';

/** What the thread does, each kind with its request and the values that it answers. */
export interface Jobs {
  readonly search: { readonly request: audit.ListEventsRequest; readonly value: audit.ListEventsResponse };
  readonly summary: { readonly request: audit.GetSummaryRequest; readonly value: audit.GetSummaryResponse };
  /** Answers many values, in their order. */
  readonly export: { readonly request: ExportRequest; readonly value: Uint8Array };
}

export type JobKind = keyof Jobs;

export type Job<K extends JobKind = JobKind> = {
  readonly [Kind in K]: {
    readonly kind: Kind;
    readonly tenantId: string;
    readonly request: Jobs[Kind]['request'];
  };
}[K];

/** What the thread opens its own connections with; plain data. */
export interface ThreadData {
  readonly config: AuditConfig;
  readonly treeHeadPublic: KeyObject;
}

/** To the thread. `stop`: no more jobs will come. */
export type ToThread = { readonly job: Job; readonly port: MessagePort } | 'stop';

/**
 * On the port of a job, from the thread. On the way back each message, whatever it holds, asks for one more
 * value.
 */
export type FromThread =
  | { readonly kind: 'value'; readonly value: Jobs[JobKind]['value'] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** An error as data. Without a reason it is a defect. */
export interface Problem {
  readonly reason: Reason | undefined;
  readonly message: string;
  readonly options: ErrorOptions;
}

/** So many values are on their way before one is taken. */
export const AHEAD = 2;
