import { lookup as systemLookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { unmapped } from './embedded-addresses.ts';
import type { Endpoint } from './endpoint.ts';
import { OutboundError } from './outbound-error.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Returns all addresses of a name. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

export const resolveAll: Lookup = (host) => systemLookup(host, { all: true, order: 'verbatim' });

/**
 * The platform's rules, which apply before any list of a tenant. Plain data: they can be sent to a worker.
 */
export interface PlatformRules {
  /** Servers that the platform consists of or uses. They can never be opened. */
  readonly ownServers: readonly Endpoint[];
  /** Single addresses of this machine that the operator has opened. */
  readonly openTargets: readonly Endpoint[];
}

/** Ranges that are never targets, even if listed or opened. */
const neverRanges = new Set<string>(['unspecified', 'broadcast', 'multicast', 'linkLocal', 'reserved']);
/** Metadata services of clouds outside the link-local range. */
const metadataAddresses = new Set([
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

/**
 * Returns whether the platform refuses an address. Valid for one port, at the time `platformVerdict` made it.
 */
export type PlatformVerdict = {
  refuses(end: Address): boolean;
  isOpen(end: Address): boolean;
};

/**
 * Evaluates the platform's rules for one port. Resolves the name of an own server only if its port matches.
 * Throws OutboundError (`unreachable`) if that fails, because then nothing can be decided.
 */
export async function platformVerdict(
  { ownServers, openTargets }: PlatformRules,
  port: number,
  lookup: Lookup = resolveAll,
): Promise<PlatformVerdict> {
  const own = ownServers.filter(({ from, to }) => from <= port && port <= to);
  const open = openTargets.filter(({ from, to }) => from <= port && port <= to);
  const [ownAddresses, openAddresses] = await Promise.all([
    addressesOf(own, lookup, 'refuse'),
    addressesOf(open, lookup, 'ignore'),
  ]);
  const machine = machineAddresses();
  const isMachine = (end: Address) => end.range() === 'loopback' || machine.has(end.toString());
  const isOpen = (end: Address) => openAddresses.has(end.toString());
  return {
    isOpen,
    refuses: (end) =>
      neverRanges.has(end.range()) ||
      metadataAddresses.has(end.toString()) ||
      ownAddresses.has(end.toString()) ||
      (isMachine(end) && (own.length > 0 || !isOpen(end))),
  };
}

async function addressesOf(
  endpoints: readonly Endpoint[],
  lookup: Lookup,
  unknown: 'refuse' | 'ignore',
): Promise<Set<string>> {
  const found = await Promise.all(
    endpoints.map(async ({ host }) => {
      if (ipaddr.isValid(host)) return [host];
      try {
        return (await lookup(host)).map(({ address }) => address);
      } catch (cause) {
        if (unknown === 'ignore') return [];
        throw new OutboundError('unreachable', 'The name of an own server could not be resolved.', { cause });
      }
    }),
  );
  return new Set(found.flat().map((text) => unmapped(ipaddr.parse(text)).toString()));
}

/** Read for each decision, because the addresses of a machine change. */
function machineAddresses(): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(
    addresses
      .filter((each) => ipaddr.isValid(each.address))
      .map((each) => ipaddr.parse(each.address).toString()),
  );
}
