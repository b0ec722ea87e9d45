import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { embeddedAddresses } from './embedded-addresses.ts';
import { type PortRange, type TargetPolicy, targetPolicy } from './target-policy.ts';

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const everyPort = [{ from: 1, to: 65_535 }];

/**
 * The policy of what an administrator points at a service out in the world (a SIEM, an identity provider): public addresses, and
 * the listed networks. This machine's own addresses, metadata services and everything private stay out unless they are listed;
 * metadata services even then. Throws OutboundError (`configuration`) for a list that cannot be read.
 */
export function publicOrListed(
  lists: { readonly cidrs?: readonly string[]; readonly ports?: readonly (number | PortRange)[] } = {},
): TargetPolicy {
  const ports = lists.ports ?? everyPort;
  const listed = targetPolicy({ cidrs: lists.cidrs ?? [], ports });
  const anywhere = targetPolicy({ cidrs: ['0.0.0.0/0', '::/0'], ports });
  return {
    permits(address, port) {
      if (listed.permits(address, port)) return true;
      if (!anywhere.permits(address, port)) return false;
      const own = ownAddresses();
      return embeddedAddresses(address).every((end) => isPublic(end) && !own.has(end.toString()));
    },
  };
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast);
}

/** Read each time, since a machine gets and loses addresses. */
function ownAddresses(): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(
    addresses
      .filter((each) => ipaddr.isValid(each.address))
      .map((each) => ipaddr.parse(each.address).toString()),
  );
}
