import ipaddr from 'ipaddr.js';
import { embeddedAddresses } from './embedded-addresses.ts';
import { OutboundError } from './outbound-error.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What may be reached. Made by `targetPolicy` or `publicOrListed`. */
export interface TargetPolicy {
  permits(address: Address, port: number): boolean;
}

/** Never a target, whatever a list says: it is this machine by another name, everybody, or a cloud's metadata service. */
const neverRanges = new Set<string>(['unspecified', 'broadcast', 'multicast', 'linkLocal', 'reserved']);
const neverAddresses = new Set(['100.100.100.200', 'fd00:ec2::254']);

/**
 * Makes a policy from CIDRs (`10.0.0.0/8`, `fd12::/16`) and ports (single or ranges). There is no default: an empty list allows
 * nothing, and loopback and private networks are reachable only when they are listed. Throws OutboundError (`configuration`).
 */
export function targetPolicy(lists: {
  readonly cidrs: readonly string[];
  readonly ports: readonly (number | PortRange)[];
}): TargetPolicy {
  const networks = lists.cidrs.map((cidr) => {
    if (!ipaddr.isValidCIDR(cidr))
      throw new OutboundError('configuration', `'${cidr.slice(0, 60)}' is not a CIDR such as 10.0.0.0/8.`);
    return ipaddr.parseCIDR(cidr);
  });
  const ports = lists.ports.map((entry) => (typeof entry === 'number' ? { from: entry, to: entry } : entry));
  for (const { from, to } of ports) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && 1 <= from && from <= to && to <= 65535))
      throw new OutboundError('configuration', `${from}-${to} is not a range of ports within 1-65535.`);
  }
  const listed = (address: Address) =>
    networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  return {
    permits(address, port) {
      if (!ports.some(({ from, to }) => from <= port && port <= to)) return false;
      return embeddedAddresses(address).every(
        (end) => !neverRanges.has(end.range()) && !neverAddresses.has(end.toString()) && listed(end),
      );
    },
  };
}
