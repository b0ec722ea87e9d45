import { isIP } from 'node:net';

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Returns a configured host in lower case, or undefined if it is not one. Accepts canonical IP addresses and
 * plain ASCII names only: no socket paths, user info, ports, brackets, leading dashes, trailing dots, control
 * characters, or spellings (`127.1`, `0x7f.1`, `2130706433`) that a resolver would read as an address.
 */
export function canonicalHost(host: string): string | undefined {
  if (isIP(host) !== 0) return host.includes('%') ? undefined : host.toLowerCase();
  const name = host.toLowerCase();
  if (name.length === 0 || name.length > 253) return undefined;
  const labels = name.split('.');
  if (!labels.every((part) => label.test(part))) return undefined;
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return undefined;
  return name;
}
