import { createHash } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import { createPace, type Pace } from './pace.ts';

export interface CostlyWorkLimits {
  /** Concurrent calls of one tenant. */
  readonly perTenant: number;
  /**
   * Concurrent unary calls of all tenants. Streams are only limited per tenant, because they wait for their
   * readers.
   */
  readonly atOnce: number;
  /** Waiting calls of one tenant; further ones are refused. */
  readonly waiting: number;
}

export const COSTLY_WORK: CostlyWorkLimits = { perTenant: 1, atOnce: 2, waiting: 20 };

const LONGEST_REST_MS = 4_000;

export interface CostlyCall {
  readonly tenantId: string;
  /** Aborts when the caller no longer waits for the answer. */
  readonly signal: AbortSignal;
  /** A stream keeps its slot until it has ended. */
  readonly stream?: boolean;
}

/**
 * Runs the costly operations of each tenant one after the other, and those of different tenants in turn, so
 * that a report of one tenant does not block other calls.
 */
export interface CostlyWork {
  /**
   * Runs `work` when a slot is free. On a busy machine the slot then stays empty for twice the run time, at
   * most four seconds. Throws `rate_limited` (`too_many_costly`) when too many calls of the tenant wait.
   */
  run<T>(call: CostlyCall, work: () => Promise<T>): Promise<T>;
  /** Like `run`, but calls with the same key that arrive while it runs share its answer, not its failure. */
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
  /** Starts the calls that fit now. A tenant whose call starts moves to the end of the round. */
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
      throw new ClavigerError('rate_limited', 'Too many costly operations of this tenant are queued.', {
        code: 'too_many_costly',
        retryAfterSeconds: 10,
        hint: 'Reports, replays, exports and searches run one after the other. Wait until some have finished.',
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
      // A stream rests between its messages.
      if (stream) release(tenantId, stream);
      else void pace.rest().then(() => release(tenantId, stream));
    }
  };

  const join = <T>(call: CostlyCall, key: string, work: () => Promise<T>): Promise<T> => {
    const known = joined.get(key) as Promise<T> | undefined;
    // The first caller may cancel and end the shared work; then another caller runs it.
    if (known) return known.catch(() => join(call, key, work));
    const own = run(call, work).finally(() => joined.delete(key));
    joined.set(key, own);
    return own;
  };

  return { run, join };
}

/** Equal only for the same request of the same actor with the same permissions. */
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

/** The caller cancelled, or its deadline passed, while the call was queued. This is not a defect. */
function callerGone(): ClavigerError {
  return new ClavigerError(
    'deadline_exceeded',
    'The caller cancelled, or its deadline passed, while the call was queued.',
  );
}
