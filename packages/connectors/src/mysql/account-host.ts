import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Whether the host part of an account matches the host from which the server sees the login. Returns
 * undefined if the server sees a name and the pattern is an address. `%` and `_` are wildcards;
 * `10.0.0.0/255.0.0.0` is a network.
 */
export function hostMatches(pattern: string, peer: string): boolean | undefined {
  const isAddress = isIP(peer) !== 0;
  const [network, mask] = pattern.split('/');
  if (network !== undefined && mask !== undefined)
    return isAddress ? isInNetwork(network, mask, peer) : undefined;
  if (isLike(peer.toLowerCase(), pattern.toLowerCase())) return true;
  // Only the server can resolve this name to an address.
  return !isAddress && /^[\d.%_:a-f]+$/i.test(pattern) ? undefined : false;
}

/**
 * Returns the host part of the account that the server selects for a login: the most specific certain match.
 */
export function hostTaken(patterns: readonly string[], peer: string): string | undefined {
  return patterns
    .filter((pattern) => hostMatches(pattern, peer) === true)
    .sort((a, b) => exactness(b) - exactness(a))[0];
}

/** Length of a host part before its first wildcard. */
function exactness(pattern: string): number {
  const wildcard = pattern.search(/[%_/]/);
  return wildcard === -1 ? pattern.length + 1_000 : wildcard;
}

/** SQL's LIKE without escapes; takes time proportional to the product of both lengths at most. */
function isLike(text: string, pattern: string): boolean {
  let at = 0;
  let patternAt = 0;
  let afterWildcard: { readonly text: number; readonly pattern: number } | undefined;
  while (at < text.length) {
    if (pattern[patternAt] === '%') {
      patternAt += 1;
      afterWildcard = { text: at, pattern: patternAt };
    } else if (pattern[patternAt] === '_' || pattern[patternAt] === text[at]) {
      at += 1;
      patternAt += 1;
    } else if (afterWildcard !== undefined) {
      at = afterWildcard.text + 1;
      patternAt = afterWildcard.pattern;
      afterWildcard = { text: at, pattern: patternAt };
    } else return false;
  }
  return /^%*$/.test(pattern.slice(patternAt));
}

function isInNetwork(network: string, mask: string, peer: string): boolean {
  if (![network, mask, peer].every((text) => ipaddr.IPv4.isValidFourPartDecimal(text))) return false;
  const bytes = (text: string) => ipaddr.IPv4.parse(text).toByteArray();
  const wanted = bytes(network);
  const bits = bytes(mask);
  return bytes(peer).every((byte, index) => (byte & (bits[index] ?? 0)) === wanted[index]);
}
