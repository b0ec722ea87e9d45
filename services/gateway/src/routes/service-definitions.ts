import * as contracts from '@claviger/contracts';
import type { Peers, ServiceDefinition } from '@claviger/service-kit';

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

/** Any client method: promises for unary calls, async iterables for streams. */
export type ClientMethod = (request: object, options: CallOptions) => unknown;

/** The client method for an operation; throws at start when nothing was generated for it. */
export function clientMethod(peers: Peers, owner: string, service: string, property: string): ClientMethod {
  if (!isOwner(owner)) throw new Error(`The gateway knows no service ${owner}.`);
  const definition = generated.find((value) => isDefinitionOf(value, service));
  if (!definition) throw new Error(`Nothing was generated for ${service}.`);
  const client = peers.client(owner, definition as ServiceDefinition) as unknown as Record<
    string,
    ClientMethod
  >;
  const method = client[property];
  if (!method) throw new Error(`${service} has no ${property}.`);
  return method;
}

/** All that was generated from proto/, whichever file it stands in. */
const generated: readonly unknown[] = Object.values(contracts).flatMap((file) =>
  typeof file === 'object' ? Object.values(file as object) : [],
);

function isDefinitionOf(value: unknown, service: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const [first] = Object.values(value as ServiceDefinition);
  return typeof first?.path === 'string' && first.path.startsWith(`/${service}/`);
}
