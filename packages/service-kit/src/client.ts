import { isIPv4 } from 'node:net';
import { methodOf, type ServiceDefinition } from '@claviger/contracts';
import type * as calls from '@claviger/contracts/cluster/v1/calls';
import { decodeServiceError } from '@claviger/errors/grpc';
import { Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { ReportAnomaly } from './anomaly.ts';
import { type CallStreamClient, createCallStreamClient } from './call-stream-client.ts';
import { type BaseConfig, type Peer, splitAddress } from './config.ts';
import { channelCredentials } from './credentials.ts';
import { METADATA } from './metadata.ts';
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
  /** A client of one service of a peer; channels are shared. Failures arrive as ClavigerError. */
  client<D extends ServiceDefinition>(peer: Peer, definition: D): ServiceClient<D>;
  close(): void;
}

/** Connections to the peers of a configuration, spread over their replicas. */
export function createPeers(config: BaseConfig, reportAnomaly?: ReportAnomaly): Peers {
  const peers = new Map<Peer, Replicas>();
  const replicas = (peer: Peer): Replicas => {
    const known = peers.get(peer);
    if (known) return known;
    const addresses = config.peers[peer];
    if (!addresses) throw new Error(`The configuration names no address for the peer ${peer}.`);
    const connect = (target: string): Client =>
      new Client(target, channelCredentials(config, peer, reportAnomaly), {
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
        // Addresses are numbers, which TLS does not take for names; whose certificate it is, the credentials check.
        'grpc.ssl_target_name_override': peer,
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 5_000,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1_000,
        'grpc.max_receive_message_length': 16 * 1024 * 1024,
        // A proxy of the environment is for what leaves the installation.
        'grpc.enable_http_proxy': 0,
      });
    const made = createReplicas(
      connect(targetOf(addresses)),
      addresses.map((address) => connect(targetOf([address]))),
    );
    peers.set(peer, made);
    return made;
  };
  return {
    client: (peer, definition) => serviceClient(replicas(peer), definition),
    close: () => {
      for (const { close } of peers.values()) close();
    },
  };
}

/** IPv4 addresses go to gRPC as one list; a name stands for whatever it resolves to, e.g. all pods behind a service. */
function targetOf(addresses: readonly string[]): string {
  const numeric = addresses.every((address) => isIPv4(splitAddress(address).host));
  return numeric ? `ipv4:${addresses.join(',')}` : `dns:${addresses[0]}`;
}

/** The replicas of one peer. Unary calls share one stream to each; server streams go through `client`. */
interface Replicas {
  readonly client: Client;
  /** The next replica that is there and answers; where none does, the next one. */
  pick(): CallStreamClient;
  close(): void;
}

function createReplicas(client: Client, clients: readonly Client[]): Replicas {
  const streams = clients.map(createCallStreamClient);
  let turn = 0;
  return {
    client,
    pick: () => {
      turn = (turn + 1) % streams.length;
      const order = [...streams.slice(turn), ...streams.slice(0, turn)];
      for (const stream of order) stream.warm();
      const ready = order.filter((stream) => stream.ready);
      return ready.find((stream) => !stream.silent) ?? ready[0] ?? order[0]!;
    },
    close: () => {
      for (const stream of streams) stream.close();
      for (const each of [client, ...clients]) each.close();
    },
  };
}

function serviceClient<D extends ServiceDefinition>(replicas: Replicas, definition: D): ServiceClient<D> {
  const methods: Record<string, unknown> = {};
  for (const [name, method] of Object.entries(definition)) {
    methodOf(method.path);
    methods[name] = method.responseStream ? stream(replicas.client, method) : unary(replicas, method);
  }
  return methods as ServiceClient<D>;
}

function unary(replicas: Replicas, method: ServiceDefinition[string]) {
  const serialize = method.requestSerialize as (value: unknown) => Buffer;
  return (request: unknown, options: CallOptions = {}): Promise<unknown> =>
    inSpan(
      method.path.slice(1),
      { kind: SpanKind.CLIENT, attributes: { 'rpc.system.name': 'grpc' } },
      async () =>
        method.responseDeserialize(
          await replicas.pick().call({
            path: method.path,
            payload: serialize(request),
            metadata: entriesOf(options),
            deadline: deadlineOf(options, DEFAULT_TIMEOUT_MS),
            signal: options.signal,
            waits: options.waits,
          }),
        ),
    );
}

function stream(client: Client, method: ServiceDefinition[string]) {
  const serialize = method.requestSerialize as (value: unknown) => Buffer;
  return async function* (request: unknown, options: CallOptions = {}): AsyncIterable<unknown> {
    const call = client.makeServerStreamRequest(
      method.path,
      serialize,
      method.responseDeserialize,
      request,
      metadataOf(options),
      { deadline: deadlineOf(options, STREAM_TIMEOUT_MS) },
    );
    const onAbort = (): void => call.cancel();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) call.cancel();
    try {
      for await (const message of call) yield message;
    } catch (error) {
      throw decodeServiceError(error as ServiceError);
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
      call.cancel();
    }
  };
}

function deadlineOf(options: CallOptions, timeoutMs: number): Date {
  const own = Date.now() + (options.timeoutMs ?? timeoutMs);
  return new Date(options.deadline ? Math.min(own, options.deadline.getTime() - MARGIN_MS) : own);
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
