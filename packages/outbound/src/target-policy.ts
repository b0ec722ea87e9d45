import ipaddr from 'ipaddr.js';
import { embeddedAddresses } from './embedded-addresses.ts';
import { OutboundError } from './outbound-error.ts';
import { type Lookup, type PlatformRules, platformVerdict } from './platform-rules.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The allowed targets. Plain data, so that it can be sent to a worker. Made by `targetPolicy` or
 * `publicOrListed`.
 */
export interface TargetPolicy {
  /** Applies first; the lists below cannot allow what it refuses. */
  readonly platform: PlatformRules;
  readonly cidrs: readonly string[];
  readonly ports: readonly PortRange[];
  /** Whether public addresses and opened addresses are allowed without being listed. */
  readonly publicToo: boolean;
}

export interface TargetLists {
  readonly cidrs: readonly string[];
  readonly ports: readonly (number | PortRange)[];
}

/**
 * Creates a policy from CIDRs (`10.0.0.0/8`, `fd12::/16`) and ports (single or ranges). An empty list allows
 * nothing. This machine is allowed only where it is listed and the operator has opened the address. Throws
 * OutboundError (`configuration`).
 */
export function targetPolicy(lists: TargetLists, platform: PlatformRules): TargetPolicy {
  for (const cidr of lists.cidrs) {
    if (!ipaddr.isValidCIDR(cidr))
      throw new OutboundError('configuration', `'${cidr.slice(0, 60)}' is not a CIDR such as 10.0.0.0/8.`);
  }
  const ports = lists.ports.map((entry) => (typeof entry === 'number' ? { from: entry, to: entry } : entry));
  for (const { from, to } of ports) {
    if (!(Number.isInteger(from) && Number.isInteger(to) && 1 <= from && from <= to && to <= 65535))
      throw new OutboundError('configuration', `${from}-${to} is not a range of ports within 1-65535.`);
  }
  return { platform, cidrs: lists.cidrs, ports, publicToo: false };
}

/**
 * Creates the policy for services that an administrator configures (a SIEM, an identity provider): public
 * addresses, the listed networks, and the addresses that the operator has opened. Throws OutboundError
 * (`configuration`) for an invalid list.
 */
export function publicOrListed(lists: Partial<TargetLists>, platform: PlatformRules): TargetPolicy {
  const { cidrs = [], ports = [{ from: 1, to: 65_535 }] } = lists;
  return { ...targetPolicy({ cidrs, ports }, platform), publicToo: true };
}

/** `own`: the platform refuses it for everyone. `unlisted`: the lists of the policy do not contain it. */
export type Refusal = 'own' | 'unlisted';

/** Checks all addresses of a target; returns undefined if all are allowed. */
export async function refusalOf(
  policy: TargetPolicy,
  addresses: readonly Address[],
  port: number,
  lookup?: Lookup,
): Promise<Refusal | undefined> {
  const verdict = await platformVerdict(policy.platform, port, lookup);
  const ends = addresses.flatMap(embeddedAddresses);
  if (ends.some((end) => verdict.refuses(end))) return 'own';
  const networks = policy.cidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  const listed = (end: Address) =>
    networks.some(([network, bits]) => network.kind() === end.kind() && end.match(network, bits)) ||
    (policy.publicToo && (isPublic(end) || verdict.isOpen(end)));
  const portListed = policy.ports.some(({ from, to }) => from <= port && port <= to);
  return portListed && ends.every(listed) ? undefined : 'unlisted';
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast);
}
