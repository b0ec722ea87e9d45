import { isIP } from 'node:net';
import { canonicalHost } from './host-name.ts';
import { OutboundError } from './outbound-error.ts';

export type Scheme = 'https' | 'http';

/**
 * Parses an absolute URL for a request. Accepts only unambiguous spellings: a plain host name (or, if
 * allowed, a canonical IP address), no user info, nothing that a parser would convert to another host. Throws
 * OutboundError (`configuration`) with a message that does not repeat the URL.
 */
export function outboundUrl(
  text: string,
  rules: { readonly schemes: readonly Scheme[]; readonly allowAddresses: boolean },
): URL {
  const wrong = (what: string) => new OutboundError('configuration', `The URL ${what}.`);
  if (text.length > 2048) throw wrong('is longer than 2048 characters');
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\'))
    throw wrong('contains blanks, backslashes or characters outside of ASCII');
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text);
  const scheme = rules.schemes.find((each) => each === parts?.[1]?.toLowerCase());
  if (parts === null || scheme === undefined)
    throw wrong(`must begin with ${rules.schemes.map((each) => `${each}://`).join(' or ')}`);
  const authority = parts[2] ?? '';
  if (authority.includes('@')) throw wrong('must not contain a user name or password');
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(authority)?.[1]?.toLowerCase();
  if (!host || !URL.canParse(text)) throw wrong('has no valid host and port');
  const url = new URL(text);
  const plain = host.startsWith('[') ? host.slice(1, -1) : host;
  if (url.hostname !== host || canonicalHost(plain) === undefined)
    throw wrong('must have a plain host: a host name, or an IP address in canonical form');
  if (isIP(plain) !== 0 && !rules.allowAddresses) throw wrong('must name its host, not an IP address');
  url.hash = '';
  return url;
}

/** Returns the host of a URL in the form that a resolver accepts: IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
