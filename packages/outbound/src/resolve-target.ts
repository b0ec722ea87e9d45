import ipaddr from 'ipaddr.js';
import { unmapped } from './embedded-addresses.ts';
import { canonicalHost } from './host-name.ts';
import { OutboundError } from './outbound-error.ts';
import { type Lookup, resolveAll } from './platform-rules.ts';
import { refusalOf, type TargetPolicy } from './target-policy.ts';

/** A host with all addresses checked; connect to `addresses`, never resolve the name again. */
export interface VettedTarget {
  readonly host: string;
  readonly port: number;
  /** Canonical IP addresses in the resolver's order, at least one. */
  readonly addresses: readonly string[];
}

export type { Lookup };

/**
 * Resolves a target once and checks every address: the platform's rules first, then the lists of the policy.
 * Throws OutboundError: `configuration` for an invalid host or port, `not_allowed` if any address or the port
 * is refused, `unreachable` if the name has no address.
 */
export async function resolveTarget(
  host: string,
  port: number,
  policy: TargetPolicy,
  lookup: Lookup = resolveAll,
): Promise<VettedTarget> {
  const name = canonicalHost(host);
  if (name === undefined)
    throw new OutboundError('configuration', 'The host is neither a plain host name nor an IP address.');
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new OutboundError('configuration', 'The port is not an integer from 1 to 65535.');

  const found = ipaddr.isValid(name) ? [name] : await addressesOf(name, lookup);
  const addresses = found.map((text) => unmapped(ipaddr.parse(text)));
  const refusal = await refusalOf(policy, addresses, port, lookup);
  if (refusal === 'own')
    throw new OutboundError(
      'not_allowed',
      'The platform does not allow this address: it is this machine, an own server, or a metadata service.',
      {
        hint: 'An operator can open a single address of this machine with up --open-target HOST:PORT. Own servers are never opened.',
      },
    );
  if (refusal === 'unlisted')
    throw new OutboundError('not_allowed', 'The policy does not allow this target.', {
      hint: "Add the target's network to the allowedCidrs and its port to the allowedPorts.",
    });
  return { host: name, port, addresses: addresses.map((address) => address.toString()) };
}

async function addressesOf(name: string, lookup: Lookup): Promise<string[]> {
  let found: readonly { readonly address: string }[];
  try {
    found = await lookup(name);
  } catch (cause) {
    throw new OutboundError('unreachable', 'The host name could not be resolved.', { cause });
  }
  if (found.length === 0) throw new OutboundError('unreachable', 'The host name has no address.');
  return found.map(({ address }) => address);
}
