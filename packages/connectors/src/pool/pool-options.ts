/** How many workers there are and what each may use. */
export interface ConnectorPoolOptions {
  /** At once; one tenant has half of them at most. Default 8. */
  readonly maxWorkers?: number;
  /** That stay after their job. Default 2. */
  readonly maxIdle?: number;
  /** How long an idle one stays. Default 30,000. */
  readonly idleMs?: number;
  /** Jobs that wait for a worker. Default 200. */
  readonly maxQueued?: number;
  /** The same of one tenant. Default 50. */
  readonly maxQueuedPerTenant?: number;
  /** Computing time of one operation. Default 5,000. */
  readonly cpuMs?: number;
  /** Memory of a worker; it takes about 120 MB at rest. Default 384 MiB. */
  readonly memoryBytes?: number;
  /** How long after the time of an operation a worker that does not answer is ended. Default 1,000. */
  readonly graceMs?: number;
  /** How long a worker may take to start. Default 30,000. */
  readonly startMs?: number;
}

export const DEFAULT_OPTIONS: Required<ConnectorPoolOptions> = {
  maxWorkers: 8,
  maxIdle: 2,
  idleMs: 30_000,
  maxQueued: 200,
  maxQueuedPerTenant: 50,
  cpuMs: 5_000,
  memoryBytes: 384 * 1024 * 1024,
  graceMs: 1_000,
  startMs: 30_000,
};
