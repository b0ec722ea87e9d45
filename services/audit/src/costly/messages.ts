import type { KeyObject } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { ErrorOptions, Reason } from '@claviger/errors';
import type { AuditConfig } from '../config.ts';
import type { ExportRequest } from '../exporting/export-chunks.ts';

/** Jobs of the thread: the request and the values of each kind. */
export interface Jobs {
  readonly search: { readonly request: audit.ListEventsRequest; readonly value: audit.ListEventsResponse };
  readonly summary: { readonly request: audit.GetSummaryRequest; readonly value: audit.GetSummaryResponse };
  /** Yields many values, in order. */
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

/** Configuration and key for the thread's own connections and exports; plain data. */
export interface ThreadData {
  readonly config: AuditConfig;
  readonly treeHeadPublic: KeyObject;
}

/** Messages to the thread. After `stop` no further jobs follow. */
export type ToThread = { readonly job: Job; readonly port: MessagePort } | 'stop';

/**
 * Messages from the thread, on the port of a job. Each message in the other direction requests one more
 * value.
 */
export type FromThread =
  | { readonly kind: 'value'; readonly value: Jobs[JobKind]['value'] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** An error as plain data. `reason` is undefined unless it is a `ClavigerError`. */
export interface Problem {
  readonly reason: Reason | undefined;
  readonly message: string;
  readonly options: ErrorOptions;
}

/** Maximum number of values that are sent and not yet taken. */
export const AHEAD = 2;
