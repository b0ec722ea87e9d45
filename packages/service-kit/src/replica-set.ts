import { ClavigerError } from '@claviger/errors';
import type { Client } from '@grpc/grpc-js';
import { alignDelay } from './align-delay.ts';
import {
  type CallStreamClient,
  createCallStreamClient,
  type PendingCall,
  tooLate,
} from './call-stream-client.ts';
import type { ReplicaAddresses } from './replica-addresses.ts';

export type OutgoingCall = Pick<PendingCall, 'path' | 'payload' | 'metadata' | 'deadlineMs' | 'waits'> & {
  readonly signal?: AbortSignal | undefined;
};

/** A replica reserved for one server stream. */
export interface StreamLease {
  readonly client: Client;
  /** Call it once the stream has ended. */
  release(): void;
}

/**
 * All replicas of one peer. A call goes to the replica with the fewest unanswered calls. Names are looked up
 * every five seconds, and at once when a stream breaks. A replica whose address disappears finishes its calls
 * and gets no new ones.
 */
export interface ReplicaSet {
  /** Throws `unavailable` when no replica is reachable within two seconds, or all queues are full. */
  call(call: OutgoingCall): Promise<Buffer>;
  /** Reserves a replica for a server stream; throws as `call` does. */
  lease(options: {
    readonly deadlineMs: number;
    readonly signal?: AbortSignal | undefined;
  }): Promise<StreamLease>;
  close(): void;
}

interface Replica {
  readonly client: Client;
  readonly stream: CallStreamClient;
  /** Server streams that run on it. */
  leases: number;
}

type Kind = 'call' | 'wait' | 'stream';

/** A call that waits for the first ready replica. It was not sent yet. */
interface Waiting {
  readonly kind: Kind;
  readonly deadlineMs: number;
  readonly bytes: number;
  waitedMs: number;
  begin(replica: Replica): void;
  reject(error: ClavigerError): void;
}

/** Less than the 4 MiB that a server accepts in one message. */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
/** Between checks while calls are unanswered or streams open or end. */
const CHECK_MS = 50;
/** Between checks otherwise. A call or a broken stream starts the short interval at once. */
const IDLE_CHECK_MS = 500;
/**
 * How long a call waits for a connection, e.g. during a restart. Only time in which this process ran counts:
 * after a pause, it first reads what has arrived.
 */
const CONNECT_TIMEOUT_MS = 2_000;
const MAX_WAITING_CALLS = 10_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
const LOOKUP_INTERVAL_MS = 5_000;
/** Between look-ups while no replica is ready, or while streams keep breaking. */
const MIN_LOOKUP_INTERVAL_MS = 500;

export function createReplicaSet(
  addresses: ReplicaAddresses,
  connect: (address: string) => Client,
): ReplicaSet {
  const replicas = new Map<string, Replica>();
  const leaving = new Set<Replica>();
  const waiting = new Map<number, Waiting>();
  let waitingBytes = 0;
  let order: readonly Replica[] = [];
  let turn = 0;
  let ids = 0;
  let timer: NodeJS.Timeout | undefined;
  let checksOften = false;
  let checkedAtMs = 0;
  let lookedUpAtMs = Number.NEGATIVE_INFINITY;
  let lookUpAtMs = 0;
  let lookingUp = false;
  let closed = false;

  const nextId = (): number => {
    ids = (ids % 0xffff_ffff) + 1;
    return ids;
  };
  const adopt = (): void => {
    const known = new Set(addresses.known);
    for (const [address, replica] of replicas) {
      if (known.has(address)) continue;
      replicas.delete(address);
      replica.stream.leave();
      leaving.add(replica);
    }
    for (const address of known) if (!replicas.has(address)) replicas.set(address, open(address));
    order = [...replicas.values()];
  };
  const open = (address: string): Replica => {
    const client = connect(address);
    const stream = createCallStreamClient(client, {
      ready: placeWaiting,
      lost: () => {
        lookUpAtMs = Math.max(performance.now(), lookedUpAtMs + MIN_LOOKUP_INTERVAL_MS);
        checkOften();
      },
    });
    checkOften();
    return { client, stream, leases: 0 };
  };
  const lookUp = (): void => {
    if (addresses.fixed || lookingUp) return;
    lookingUp = true;
    void addresses.refresh().then(() => {
      lookingUp = false;
      if (closed) return;
      adopt();
      const anyReady = order.some(({ stream }) => stream.ready);
      lookedUpAtMs = performance.now();
      lookUpAtMs = lookedUpAtMs + (anyReady ? LOOKUP_INTERVAL_MS : MIN_LOOKUP_INTERVAL_MS);
    });
  };

  /** The least busy ready replica; silent ones come last. Equal ones take turns. */
  const choose = (kind: Kind): Replica | undefined => {
    let best: Replica | undefined;
    let least = Number.POSITIVE_INFINITY;
    turn = (turn + 1) % Math.max(order.length, 1);
    for (let i = 0; i < order.length; i += 1) {
      const replica = order[(turn + i) % order.length]!;
      const { stream } = replica;
      if (!stream.ready || stream.full) continue;
      const busy = kind === 'stream' ? replica.leases : stream.outstanding(kind === 'wait');
      const rank = stream.silent ? busy + SILENT_RANK : busy;
      if (rank >= least) continue;
      best = replica;
      least = rank;
    }
    return best;
  };
  /** Queues a call for which `choose` found no replica. */
  const hold = (id: number, what: Waiting): void => {
    const full = order.some(({ stream }) => stream.ready);
    if (full || waiting.size >= MAX_WAITING_CALLS || waitingBytes + what.bytes > MAX_WAITING_BYTES)
      return what.reject(overloaded());
    waiting.set(id, what);
    waitingBytes += what.bytes;
    // The process must not end while a call waits.
    timer?.ref();
  };
  const remove = (id: number): Waiting | undefined => {
    const found = waiting.get(id);
    if (found && waiting.delete(id)) waitingBytes -= found.bytes;
    if (waiting.size === 0) timer?.unref();
    return found;
  };
  const place = (id: number, what: Waiting): void => {
    const replica = choose(what.kind);
    if (replica) what.begin(replica);
    else hold(id, what);
  };
  const placeWaiting = (): void => {
    for (const id of [...waiting.keys()]) place(id, remove(id)!);
  };

  const check = (): void => {
    const now = performance.now();
    const ranMs = Math.min(now - checkedAtMs, 2 * CHECK_MS);
    checkedAtMs = now;
    for (const [id, what] of waiting) {
      what.waitedMs += ranMs;
      const late = what.deadlineMs <= Date.now();
      if (!late && what.waitedMs < CONNECT_TIMEOUT_MS) continue;
      remove(id);
      what.reject(late ? tooLate() : unreachable());
    }
    for (const { stream } of order) stream.check();
    for (const replica of leaving) {
      replica.stream.check();
      if (!replica.stream.idle || replica.leases > 0) continue;
      leaving.delete(replica);
      replica.client.close();
    }
    if (now >= lookUpAtMs) lookUp();
    checksOften = waiting.size > 0 || leaving.size > 0 || order.some(({ stream }) => stream.busy);
    schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(check, checksOften ? CHECK_MS : alignDelay(IDLE_CHECK_MS));
    if (waiting.size === 0) timer.unref();
  };
  const checkOften = (): void => {
    if (checksOften || closed) return;
    checksOften = true;
    checkedAtMs = performance.now();
    clearTimeout(timer);
    schedule();
  };
  const start = (): void => {
    const isFirst = timer === undefined;
    checkOften();
    if (!isFirst) return;
    adopt();
    lookUp();
  };
  const cancel = (id: number): boolean =>
    remove(id) !== undefined ||
    order.some(({ stream }) => stream.cancel(id)) ||
    [...leaving].some(({ stream }) => stream.cancel(id));

  return {
    call: ({ signal, ...call }) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(unreachable());
        if (signal?.aborted) return reject(cancelled());
        if (call.payload.length > MAX_REQUEST_BYTES)
          return reject(new ClavigerError('payload_too_large', 'The request is too large.'));
        start();
        const id = nextId();
        const onAbort = (): void => {
          if (cancel(id)) reject(cancelled());
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        const pending: PendingCall = {
          id,
          ...call,
          sentAtMs: 0,
          resolve: (answer) => {
            signal?.removeEventListener('abort', onAbort);
            resolve(answer);
          },
          reject: (error) => {
            signal?.removeEventListener('abort', onAbort);
            reject(error);
          },
        };
        const kind = call.waits ? 'wait' : 'call';
        const replica = choose(kind);
        if (replica) return replica.stream.send(pending);
        hold(id, {
          kind,
          deadlineMs: call.deadlineMs,
          bytes: call.payload.length,
          waitedMs: 0,
          begin: ({ stream }) => stream.send(pending),
          reject: pending.reject,
        });
      }),
    lease: ({ deadlineMs, signal }) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(unreachable());
        if (signal?.aborted) return reject(cancelled());
        start();
        const id = nextId();
        const onAbort = (): void => {
          if (remove(id)) reject(cancelled());
        };
        const settled = (): void => signal?.removeEventListener('abort', onAbort);
        signal?.addEventListener('abort', onAbort, { once: true });
        place(id, {
          kind: 'stream',
          deadlineMs,
          bytes: 0,
          waitedMs: 0,
          begin: (replica) => {
            settled();
            replica.leases += 1;
            let released = false;
            resolve({
              client: replica.client,
              release: () => {
                if (!released) replica.leases -= 1;
                released = true;
              },
            });
          },
          reject: (error) => {
            settled();
            reject(error);
          },
        });
      }),
    close: () => {
      closed = true;
      clearTimeout(timer);
      for (const id of [...waiting.keys()]) remove(id)!.reject(unreachable());
      for (const { stream, client } of [...order, ...leaving]) {
        stream.close();
        client.close();
      }
    },
  };
}

/** Exceeds any number of calls, so silent replicas rank last. */
const SILENT_RANK = 2 ** 32;

function unreachable(): ClavigerError {
  return new ClavigerError('unavailable', 'A service of the installation cannot be reached.', {
    retryAfterSeconds: 1,
  });
}

function overloaded(): ClavigerError {
  return new ClavigerError('unavailable', 'A service of the installation is overloaded.', {
    retryAfterSeconds: 1,
  });
}

function cancelled(): ClavigerError {
  return new ClavigerError('unavailable', 'The caller cancelled the call.');
}
