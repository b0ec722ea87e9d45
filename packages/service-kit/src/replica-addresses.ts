import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { splitAddress } from './config.ts';

/** Returns all IPv4 and IPv6 addresses of a host name. Rejects when the look-up fails. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/**
 * Uses the resolver of the operating system, which knows `/etc/hosts` and the search domains of a Kubernetes
 * pod; a plain DNS query does not.
 */
export const systemLookup: Lookup = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The addresses of a peer's replicas: the configured addresses, with each name replaced by its current IP
 * addresses.
 */
export interface ReplicaAddresses {
  /** `ip:port`, or `[ip]:port` for IPv6; sorted, without duplicates. */
  readonly known: readonly string[];
  /** Whether only IP addresses are configured, which never change. */
  readonly fixed: boolean;
  /**
   * Looks up all names. A name that fails or has no address keeps its former addresses.
   *
   * @returns the names that could not be looked up.
   */
  refresh(): Promise<readonly string[]>;
}

/** Per name; further addresses are ignored. */
const MAX_ADDRESSES = 256;

export function createReplicaAddresses(configured: readonly string[], find: Lookup): ReplicaAddresses {
  const parts = configured.map((address) => ({ address, ...splitAddress(address) }));
  const names = parts.filter(({ host }) => isIP(host) === 0);
  const found = new Map<string, readonly string[]>();
  for (const { address, host, port } of parts) if (isIP(host) !== 0) found.set(address, [join(host, port)]);
  const all = (): string[] => [...new Set([...found.values()].flat())].sort();
  let known = all();
  let running: Promise<readonly string[]> | undefined;

  const refresh = async (): Promise<readonly string[]> => {
    const results = await Promise.all(
      names.map(async ({ address, host, port }) => {
        const ips = await find(host).catch(() => []);
        if (ips.length === 0) return address;
        found.set(
          address,
          ips.slice(0, MAX_ADDRESSES).map((ip) => join(ip, port)),
        );
        return undefined;
      }),
    );
    known = all();
    return results.filter((name) => name !== undefined);
  };
  return {
    get known() {
      return known;
    },
    fixed: names.length === 0,
    refresh: () => {
      running ??= refresh().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function join(ip: string, port: number): string {
  return isIP(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}
