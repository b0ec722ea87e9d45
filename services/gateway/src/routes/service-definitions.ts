import { services } from '@claviger/contracts/services';
import type { Peers } from '@claviger/service-kit';

/** Services that the gateway calls. */
const OWNERS = ['audit', 'auth', 'vault', 'workflow'] as const;

export type Owner = (typeof OWNERS)[number];

export function isOwner(name: string): name is Owner {
  return (OWNERS as readonly string[]).includes(name);
}

export interface CallOptions {
  readonly actorToken: string | undefined;
  readonly requestId: string;
  readonly sourceAddress: string;
  readonly idempotencyKey?: string | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly waits?: boolean;
}

/** A client method: promises for unary calls, async iterables for streams. */
export type ClientMethod = (request: object, options: CallOptions) => unknown;

/** The client method of an operation; throws at start when its code was not generated. */
export function clientMethod(peers: Peers, owner: string, service: string, property: string): ClientMethod {
  if (!isOwner(owner)) throw new Error(`The gateway has no client for the service ${owner}.`);
  const definition = services.get(service);
  if (!definition) throw new Error(`No code was generated for ${service}.`);
  const client = peers.client(owner, definition) as unknown as Record<string, ClientMethod>;
  const method = client[property];
  if (!method) throw new Error(`${service} has no ${property}.`);
  return method;
}
