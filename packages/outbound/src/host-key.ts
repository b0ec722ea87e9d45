import ipaddr from 'ipaddr.js';
import { unmapped } from './embedded-addresses.ts';
import { canonicalHost } from './host-name.ts';

const THIS_MACHINE = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * One text for all spellings of a host: case, a trailing dot, the forms of an IPv6 address, and IPv4
 * addresses inside IPv6. Two names of one machine stay two: names are not resolved. Undefined for what is no
 * host.
 */
export function hostKey(host: string): string | undefined {
  const name = canonicalHost(host.replace(/\.$/, ''));
  if (name === undefined) return undefined;
  const key = ipaddr.isValid(name) ? unmapped(ipaddr.parse(name)).toString() : name;
  return THIS_MACHINE.has(key) ? 'localhost' : key;
}
