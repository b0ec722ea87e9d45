import { Redis } from 'ioredis';
import { LIST, MARK, NOMINATE, RELEASE, TURN } from './election-scripts.ts';

/** How long Redis keeps the record of a silent replica. */
export const KEEP_MS = 60_000;

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

/** The answer of Redis to one turn of a replica. */
export interface TurnAnswer {
  /** Claim and name of the leader; undefined when there is none. */
  readonly lead: { readonly claim: string; readonly node: string } | undefined;
  readonly leaseLeftMs: number;
  readonly nominee: string | undefined;
  readonly ballot: number;
  readonly demoted: boolean;
  /** Whether another living process has the name of this node. */
  readonly twice: boolean;
}

/** The record of one replica in Redis. */
export interface HeardReplica<D> {
  readonly node: string;
  /** By the clock of Redis. */
  readonly silentMs: number;
  readonly details: Partial<D>;
}

export interface HeardReplicas<D> {
  readonly leader: string | undefined;
  readonly nominee: string | undefined;
  readonly replicas: readonly HeardReplica<D>[];
}

export type Nomination = 'unknown' | 'dead' | 'demoted' | 'leads' | 'nominated';

/** The election of one service in Redis. Calls fail within `timeoutMs` when the server is unavailable. */
export interface ElectionStore<D> {
  turn(turn: {
    readonly node: string;
    readonly claim: string;
    readonly leaseMs: number;
    readonly keepMs: number;
    readonly candidacyMs: number;
    readonly details: D;
    readonly stand: boolean;
    readonly demoted: boolean;
    /** Unique to this process. */
    readonly process: string;
  }): Promise<TurnAnswer>;
  release(node: string, claim: string, leave: boolean): Promise<void>;
  nominate(node: string, leaseMs: number, forMs: number): Promise<Nomination>;
  mark(node: string, demoted: boolean): Promise<void>;
  list(): Promise<HeardReplicas<D>>;
  /** Calls `listener` when the election changes. Changes during a lost connection may be missed. */
  onMove(listener: (what: string) => void): void;
  close(): void;
}

export function createElectionStore<D>(
  service: string,
  address: RedisAddress,
  timeoutMs: number,
): ElectionStore<D> {
  const options = {
    ...address,
    maxRetriesPerRequest: 0,
    connectTimeout: Math.max(timeoutMs, 500),
    retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
  };
  const redis = new Redis({ ...options, enableOfflineQueue: false, commandTimeout: timeoutMs });
  // Each use reports its own failure.
  redis.on('error', () => {});
  let heard: Redis | undefined;
  const key = (name: string): string => `claviger:cluster:{${service}}:${name}`;
  const channel = key('moves');
  const keys = ['lead', 'ballot', 'votes', 'replicas', 'beats', 'nominee', 'demoted', 'processes'].map(key);
  const run = async (script: string, ...values: (string | number)[]): Promise<unknown> => {
    await connected(redis, timeoutMs);
    return redis.eval(script, keys.length, ...keys, ...values);
  };
  return {
    turn: async (turn) => {
      const [lead, leftMs, nominee, ballot, demoted, twice] = (await run(
        TURN,
        turn.node,
        turn.claim,
        Math.round(turn.leaseMs),
        JSON.stringify(turn.details),
        turn.stand ? 1 : 0,
        Math.round(turn.candidacyMs),
        Math.round(turn.keepMs),
        channel,
        turn.demoted ? 1 : 0,
        turn.process,
      )) as [string, number, string, number, number, number];
      return {
        lead: lead === '' ? undefined : leadOf(lead),
        leaseLeftMs: leftMs,
        nominee: nominee || undefined,
        ballot,
        demoted: demoted === 1,
        twice: twice === 1,
      };
    },
    release: async (node, claim, leave) => {
      await run(RELEASE, node, claim, channel, leave ? 1 : 0);
    },
    nominate: async (node, leaseMs, forMs) =>
      (await run(NOMINATE, node, Math.round(leaseMs), Math.round(forMs), channel)) as Nomination,
    mark: async (node, demoted) => {
      await run(MARK, node, demoted ? 1 : 0, channel);
    },
    list: async () => {
      const [now, lead, nominee, ...rest] = (await run(LIST)) as string[];
      const replicas: HeardReplica<D>[] = [];
      for (let at = 0; at < rest.length; at += 3)
        replicas.push({
          node: rest[at]!,
          silentMs: Number(now) - Number(rest[at + 1]),
          details: JSON.parse(rest[at + 2]!) as Partial<D>,
        });
      return { leader: lead ? leadOf(lead).node : undefined, nominee: nominee || undefined, replicas };
    },
    onMove: (listener) => {
      heard = new Redis({ ...options, maxRetriesPerRequest: null });
      heard.on('error', () => {});
      heard.on('message', (_channel, what: string) => listener(what));
      // Messages sent while the connection was down were missed.
      heard.on('ready', () => listener('unknown'));
      heard.subscribe(channel).catch(() => {});
    },
    close: () => {
      redis.disconnect();
      heard?.disconnect();
    },
  };
}

function leadOf(lead: string): { claim: string; node: string } {
  const space = lead.indexOf(' ');
  return { claim: lead.slice(0, space), node: lead.slice(space + 1) };
}

/** Waits briefly while a connection is being opened. Commands are not queued for an unavailable server. */
async function connected(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready' || !['connecting', 'connect', 'wait'].includes(redis.status)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      redis.off('ready', done);
      redis.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    redis.on('ready', done);
    redis.on('close', done);
  });
}
