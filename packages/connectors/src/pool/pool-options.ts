/** The number of workers and their limits. */
export interface ConnectorPoolOptions {
  /** Maximum number of workers; one tenant gets at most half of them. Default 8. */
  readonly maxWorkers?: number;
  /** Maximum number of idle workers that are kept. Default 2. */
  readonly maxIdle?: number;
  /** How long an idle worker is kept. Default 30,000. */
  readonly idleMs?: number;
  /** Maximum number of waiting jobs. Default 200. */
  readonly maxQueued?: number;
  /** Maximum number of waiting jobs of one tenant. Default 50. */
  readonly maxQueuedPerTenant?: number;
  /** CPU time of one operation. Default 5,000. */
  readonly cpuMs?: number;
  /** Memory of a worker; an idle one takes about 120 MB. Default 384 MiB. */
  readonly memoryBytes?: number;
  /** How long after the time limit of an operation an unresponsive worker is killed. Default 1,000. */
  readonly graceMs?: number;
  /** Time limit for the start of a worker. Default 30,000. */
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
