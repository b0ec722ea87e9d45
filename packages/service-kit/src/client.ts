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

/** Metadata and limits of a call. */
export interface CallOptions {
  readonly actorToken?: string | undefined;
  /** Tenant of an internal call. */
  readonly tenantId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly sourceAddress?: string | undefined;
  /** The client's idempotency key; only the gateway sets it. */
  readonly idempotencyKey?: string | undefined;
  /** Limit of this call; 10 seconds by default, one hour for streams. */
  readonly timeoutMs?: number | undefined;
  /** Deadline of the incoming call, if it is sooner. */
  readonly deadline?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A long poll: a missing answer does not mean that the peer hangs. */
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
  /** A client for one gRPC service of a peer. Connections are shared; failures are ClavigerErrors. */
  client<D extends ServiceDefinition>(peer: Peer, definition: D): ServiceClient<D>;
  /**
   * Calls every replica of a peer at once, after a fresh look-up of names. Answers are in the order of the
   * addresses.
   *
   * @throws `unavailable` when a name cannot be looked up, because the list of replicas is then unknown.
   */
  each<D extends ServiceDefinition, R>(
    peer: Peer,
    definition: D,
    ask: (client: ServiceClient<D>, address: string) => Promise<R>,
  ): Promise<ReplicaAnswer<R>[]>;
  close(): void;
}

/** The answer of the replica at one address, or its error. */
export type ReplicaAnswer<R> =
  | { readonly address: string; readonly answer: R; readonly error?: undefined }
  | { readonly address: string; readonly error: ClavigerError };

/** Connections to all replicas of the configured peers. */
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
 * Returns the answers when every replica gave one.
 *
 * @throws `unavailable` with each replica that failed, and its error.
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
  return new ClavigerError('unavailable', `The look-up of ${names.join(', ')} returns no address.`, {
    hint: `Check the DNS server and peers.${peer} in the configuration.`,
    retryAfterSeconds: 5,
  });
}

/** An address in a form that gRPC uses without its own look-up. */
function targetOf(address: string): string {
  return `${address.startsWith('[') ? 'ipv6' : 'ipv4'}:${address}`;
}

function optionsFor(peer: Peer): ChannelOptions {
  return {
    // The address is an IP, which is not valid as a TLS server name; `credentials.ts` checks the certificate.
    'grpc.ssl_target_name_override': peer,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    // A proxy from the environment is only for connections out of the installation.
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

/** In epoch milliseconds. */
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
