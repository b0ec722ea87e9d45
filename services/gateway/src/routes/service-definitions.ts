import { audit, auth, vault, workflow } from '@claviger/contracts';
import type { Peers, ServiceDefinition } from '@claviger/service-kit';

/** Services of the contract that the gateway calls, by owner. Their definitions are found among what is generated. */
const OWNERS = { audit, auth, vault, workflow };

export type Owner = keyof typeof OWNERS;

export function isOwner(name: string): name is Owner {
  return Object.hasOwn(OWNERS, name);
}

export interface CallOptions {
  readonly actorToken: string | undefined;
  readonly requestId: string;
  readonly sourceAddress: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Any client method: promises for unary calls, async iterables for streams. */
export type ClientMethod = (request: object, options: CallOptions) => unknown;

/** The client method for an operation; throws at start when nothing was generated for it. */
export function clientMethod(peers: Peers, owner: string, service: string, property: string): ClientMethod {
  if (!isOwner(owner)) throw new Error(`The gateway knows no service ${owner}.`);
  const definition = Object.values(OWNERS[owner]).find((value) => isDefinitionOf(value, service));
  if (!definition) throw new Error(`Nothing was generated for ${service}.`);
  const client = peers.client(owner, definition as ServiceDefinition) as unknown as Record<
    string,
    ClientMethod
  >;
  const method = client[property];
  if (!method) throw new Error(`${service} has no ${property}.`);
  return method;
}

function isDefinitionOf(value: unknown, service: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const [first] = Object.values(value as ServiceDefinition);
  return typeof first?.path === 'string' && first.path.startsWith(`/${service}/`);
}
