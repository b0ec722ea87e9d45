import { createHash } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { createPace, type Pace } from './pace.ts';

export interface CostlyWorkLimits {
  /** Of one tenant at once. */
  readonly perTenant: number;
  /** Of all tenants at once that compute; streams wait for their readers and are limited for each tenant alone. */
  readonly atOnce: number;
  /** Of one tenant that wait; one more is refused. */
  readonly waiting: number;
}

export const COSTLY_WORK: CostlyWorkLimits = { perTenant: 1, atOnce: 2, waiting: 20 };

const LONGEST_REST_MS = 4_000;

export interface CostlyCall {
  readonly tenantId: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** A stream: it holds its place until it has ended. */
  readonly stream?: boolean;
}

/**
 * Lets costly operations of each tenant run one after the other, and those of different tenants in turn, so that nobody's
 * report keeps the process from serving others.
 */
export interface CostlyWork {
  /**
   * Runs when it is its turn. While the machine is busy its place then stays empty for twice the time that it
   * took, at most four seconds. Throws `rate_limited` (`too_many_costly`) when too many of the tenant wait
   * already.
   */
  run<T>(call: CostlyCall, work: () => Promise<T>): Promise<T>;
  /** As `run`; calls with the same key that arrive before it has ended share its answer, but not its failure. */
  join<T>(call: CostlyCall, key: string, work: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly stream: boolean;
  start(): void;
}

export function createCostlyWork(
  limits: CostlyWorkLimits = COSTLY_WORK,
  startPace: () => Pace = () => createPace({ longestRestMs: LONGEST_REST_MS }),
): CostlyWork {
  const queues = new Map<string, Waiting[]>();
  const running = new Map<string, number>();
  const joined = new Map<string, Promise<unknown>>();
  let computing = 0;

  const fits = (tenantId: string, stream: boolean): boolean =>
    (running.get(tenantId) ?? 0) < limits.perTenant && (stream || computing < limits.atOnce);
  const take = (tenantId: string, stream: boolean): void => {
    running.set(tenantId, (running.get(tenantId) ?? 0) + 1);
    if (!stream) computing += 1;
  };
  /** Starts what fits now. A tenant whose call starts goes to the end of the round. */
  const next = (): void => {
    for (const [tenantId, queue] of [...queues]) {
      const [first] = queue;
      if (!first || !fits(tenantId, first.stream)) continue;
      queue.shift();
      queues.delete(tenantId);
      if (queue.length > 0) queues.set(tenantId, queue);
      take(tenantId, first.stream);
      first.start();
    }
  };
  const release = (tenantId: string, stream: boolean): void => {
    const left = (running.get(tenantId) ?? 1) - 1;
    if (left === 0) running.delete(tenantId);
    else running.set(tenantId, left);
    if (!stream) computing -= 1;
    next();
  };

  const enter = async ({ tenantId, signal, stream = false }: CostlyCall): Promise<void> => {
    if (signal.aborted) throw callerGone();
    const queue = queues.get(tenantId) ?? [];
    if (queue.length === 0 && fits(tenantId, stream)) return take(tenantId, stream);
    if (queue.length >= limits.waiting) {
      throw new ClavigerError('rate_limited', 'Too many costly operations of this tenant wait already.', {
        code: 'too_many_costly',
        retryAfterSeconds: 10,
        hint: 'Reports, replays, exports and searches run one after the other. Wait for those that run.',
      });
    }
    await new Promise<void>((resolve, reject) => {
      const entry: Waiting = {
        stream,
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = (): void => {
        const at = queue.indexOf(entry);
        if (at >= 0) queue.splice(at, 1);
        if (queue.length === 0) queues.delete(tenantId);
        reject(callerGone());
      };
      signal.addEventListener('abort', leave, { once: true });
      queue.push(entry);
      queues.set(tenantId, queue);
    });
  };

  const run = async <T>(call: CostlyCall, work: () => Promise<T>): Promise<T> => {
    await enter(call);
    const { tenantId, stream = false } = call;
    const pace = startPace();
    try {
      return await work();
    } finally {
      // A stream rests between its parts.
      if (stream) release(tenantId, stream);
      else void pace.rest().then(() => release(tenantId, stream));
    }
  };

  const join = <T>(call: CostlyCall, key: string, work: () => Promise<T>): Promise<T> => {
    const known = joined.get(key) as Promise<T> | undefined;
    // The first caller may have gone, and its work ended with it: then another one does it.
    if (known) return known.catch(() => join(call, key, work));
    const own = run(call, work).finally(() => joined.delete(key));
    joined.set(key, own);
    return own;
  };

  return { run, join };
}

/** The same for the same request of the same actor with the same rights, and for nothing else. */
export function joinKey(parts: {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly permissions: ReadonlySet<string>;
  readonly siteIds?: readonly string[] | undefined;
  readonly path: string;
  readonly request: Buffer;
}): string {
  const { request, permissions, siteIds, ...rest } = parts;
  const rights = JSON.stringify({
    ...rest,
    permissions: [...permissions].sort(),
    siteIds: siteIds?.toSorted() ?? null,
  });
  return createHash('sha256').update(`${rights.length}:`).update(rights).update(request).digest('base64');
}

/** No defect: the caller gave up, or its deadline passed, while it waited for its turn. */
function callerGone(): ClavigerError {
  return new ClavigerError('deadline_exceeded', 'The caller did not wait for its turn.');
}
