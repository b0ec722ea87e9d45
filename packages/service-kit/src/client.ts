import { methodOf, type ServiceDefinition } from '@claviger/contracts';
import type * as calls from '@claviger/contracts/cluster/v1/calls';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { decodeServiceError } from '@claviger/errors/grpc';
import { type ChannelOptions, Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { ReportAnomaly } from './anomaly.ts';
import type { BaseConfig, Peer } from './config.ts';
import { channelCredentials } from './credentials.ts';
import { METADATA } from './metadata.ts';
import {
  createReplicaAddresses,
  type Lookup,
  type ReplicaAddresses,
  systemLookup,
} from './replica-addresses.ts';
import { createReplicaSet, type ReplicaSet } from './replica-set.ts';
import { currentTraceparent, inSpan, SpanKind } from './telemetry.ts';

export type RequestOf<M> = M extends { requestDeserialize: (value: Buffer) => infer R } ? R : never;
export type ResponseOf<M> = M extends { responseDeserialize: (value: Buffer) => infer R } ? R : never;

/** What travels with a call. */
export interface CallOptions {
  readonly actorToken?: string | undefined;
  /** Tenant of an internal call. */
  readonly tenantId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly sourceAddress?: string | undefined;
  /** The caller's own key for this request; only the edge passes one on. */
  readonly idempotencyKey?: string | undefined;
  /** The call's own limit; 10 seconds when absent, an hour for streams. */
  readonly timeoutMs?: number | undefined;
  /** What remains of the caller's time, when that is sooner. */
  readonly deadline?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Answered when something happens, e.g. a long poll: its silence says nothing about the health of the peer. */
  readonly waits?: boolean | undefined;
}

export type ServiceClient<D extends ServiceDefinition> = {
  readonly [K in keyof D]: D[K] extends { responseStream: true }
    ? (request: RequestOf<D[K]>, options?: CallOptions) => AsyncIterable<ResponseOf<D[K]>>
    : (request: RequestOf<D[K]>, options?: CallOptions) => Promise<ResponseOf<D[K]>>;
};

const DEFAULT_TIMEOUT_MS = 10_000;
const STREAM_TIMEOUT_MS = 3_600_000;
const MARGIN_MS = 100;

export interface Peers {
  /** A client of one service of a peer; connections are shared. Failures arrive as ClavigerError. */
  client<D extends ServiceDefinition>(peer: Peer, definition: D): ServiceClient<D>;
  /**
   * Asks every replica of a peer at once, and answers in the order of their addresses. Names are looked up first.
   *
   * @throws `unavailable` when a name cannot be looked up: then nobody knows which replicas there are.
   */
  each<D extends ServiceDefinition, R>(
    peer: Peer,
    definition: D,
    ask: (client: ServiceClient<D>, address: string) => Promise<R>,
  ): Promise<ReplicaAnswer<R>[]>;
  close(): void;
}

/** What the replica at one address answered, or why it did not. */
export type ReplicaAnswer<R> =
  | { readonly address: string; readonly answer: R; readonly error?: undefined }
  | { readonly address: string; readonly error: ClavigerError };

/** Connections to all replicas of the peers of a configuration. */
export function createPeers(
  config: BaseConfig,
  reportAnomaly?: ReportAnomaly,
  find: Lookup = systemLookup,
): Peers {
  interface Known {
    readonly addresses: ReplicaAddresses;
    readonly replicas: ReplicaSet;
    readonly connect: (address: string) => Client;
  }
  const peers = new Map<Peer, Known>();
  const known = (peer: Peer): Known => {
    const found = peers.get(peer);
    if (found) return found;
    const configured = config.peers[peer];
    if (!configured) throw new Error(`The configuration names no address for the peer ${peer}.`);
    const credentials = channelCredentials(config, peer, reportAnomaly);
    const connect = (address: string): Client => new Client(targetOf(address), credentials, optionsFor(peer));
    const addresses = createReplicaAddresses(configured, find);
    const made = { addresses, connect, replicas: createReplicaSet(addresses, connect) };
    peers.set(peer, made);
    return made;
  };
  return {
    client: (peer, definition) => serviceClient(known(peer).replicas, definition),
    each: async (peer, definition, ask) => {
      const { addresses, connect } = known(peer);
      const unknown = await addresses.refresh();
      if (unknown.length > 0) throw notFound(peer, unknown);
      return Promise.all(
        addresses.known.map(async (address) => {
          const one = createReplicaSet(createReplicaAddresses([address], find), connect);
          try {
            return { address, answer: await ask(serviceClient(one, definition), address) };
          } catch (error) {
            if (!isClavigerError(error)) throw error;
            return { address, error };
          } finally {
            one.close();
          }
        }),
      );
    },
    close: () => {
      for (const { replicas } of peers.values()) replicas.close();
    },
  };
}

/**
 * The answers, when every replica gave one.
 *
 * @throws `unavailable`, which names each replica that did not and says why.
 */
export function requireEvery<R>(peer: Peer, answers: readonly ReplicaAnswer<R>[]): R[] {
  const silent = answers.flatMap(({ address, error }) => (error ? `${address} (${error.message})` : []));
  if (silent.length > 0) {
    throw new ClavigerError(
      'unavailable',
      `${silent.length} of ${answers.length} replicas of ${peer} did not confirm: ${silent.join(', ')}.`,
      { hint: `Start these replicas, or remove their addresses from peers.${peer}.`, retryAfterSeconds: 5 },
    );
  }
  return answers.flatMap((each) => (each.error ? [] : [each.answer]));
}

function notFound(peer: Peer, names: readonly string[]): ClavigerError {
  return new ClavigerError('unavailable', `No address is found for ${names.join(', ')}.`, {
    hint: `Check the DNS server and peers.${peer} in the configuration.`,
    retryAfterSeconds: 5,
  });
}

/** An address as gRPC takes it without a look-up of its own. */
function targetOf(address: string): string {
  return `${address.startsWith('[') ? 'ipv6' : 'ipv4'}:${address}`;
}

function optionsFor(peer: Peer): ChannelOptions {
  return {
    // Addresses are numbers, which TLS does not take for names; whose certificate it is, the credentials check.
    'grpc.ssl_target_name_override': peer,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    // A proxy of the environment is for what leaves the installation.
    'grpc.enable_http_proxy': 0,
  };
}

function serviceClient<D extends ServiceDefinition>(replicas: ReplicaSet, definition: D): ServiceClient<D> {
  const methods: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(definition)) {
    methodOf(method.path);
    methods[name] = method.responseStream ? stream(replicas, method) : unary(replicas, method);
  }
  return methods as ServiceClient<D>;
}

function unary(replicas: ReplicaSet, method: ServiceDefinition[string]) {
  const serialize = method.requestSerialize as (value: unknown) => Buffer;
  return (request: unknown, options: CallOptions = {}): Promise<unknown> =>
    inSpan(
      method.path.slice(1),
      { kind: SpanKind.CLIENT, attributes: { 'rpc.system.name': 'grpc' } },
      async () =>
        method.responseDeserialize(
          await replicas.call({
            path: method.path,
            payload: serialize(request),
            metadata: entriesOf(options),
            deadlineMs: deadlineOf(options, DEFAULT_TIMEOUT_MS),
            signal: options.signal,
            waits: options.waits ?? false,
          }),
        ),
    );
}

function stream(replicas: ReplicaSet, method: ServiceDefinition[string]) {
  const serialize = method.requestSerialize as (value: unknown) => Buffer;
  return async function* (request: unknown, options: CallOptions = {}): AsyncIterable<unknown> {
    const { signal } = options;
    const deadlineMs = deadlineOf(options, STREAM_TIMEOUT_MS);
    const { client, release } = await replicas.lease({ deadlineMs, signal });
    const call = client.makeServerStreamRequest(
      method.path,
      serialize,
      method.responseDeserialize,
      request,
      metadataOf(options),
      { deadline: deadlineMs },
    );
    const onAbort = (): void => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for await (const message of call) yield message;
    } catch (error) {
      throw decodeServiceError(error as ServiceError);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      call.cancel();
      release();
    }
  };
}

/** In milliseconds of the clock. */
function deadlineOf(options: CallOptions, timeoutMs: number): number {
  const own = Date.now() + (options.timeoutMs ?? timeoutMs);
  return options.deadline ? Math.min(own, options.deadline.getTime() - MARGIN_MS) : own;
}

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata();
  for (const { key, value } of entriesOf(options)) metadata.set(key, value);
  return metadata;
}

function entriesOf(options: CallOptions): calls.CallMetadata[] {
  const entries: [string, string | undefined][] = [
    [METADATA.actorToken, options.actorToken],
    [METADATA.tenantId, options.tenantId],
    [METADATA.requestId, options.requestId],
    [METADATA.sourceAddress, options.sourceAddress],
    [METADATA.idempotencyKey, options.idempotencyKey],
    [METADATA.traceparent, currentTraceparent()],
  ];
  return entries.flatMap(([key, value]) => (value ? [{ key, value }] : []));
}
