import ipaddr from 'ipaddr.js';
import { unmapped } from './embedded-addresses.ts';
import { canonicalHost } from './host-name.ts';

const THIS_MACHINE = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * Returns one text for all spellings of a host: case, trailing dot, forms of IPv6 addresses, IPv4 inside
 * IPv6. Names are not resolved, so two names of one machine differ. Returns undefined if it is not a host.
 */
export function hostKey(host: string): string | undefined {
  const name = canonicalHost(host.replace(/\.$/, ''));
  if (name === undefined) return undefined;
  const key = ipaddr.isValid(name) ? unmapped(ipaddr.parse(name)).toString() : name;
  return THIS_MACHINE.has(key) ? 'localhost' : key;
}
