import type { Hop } from './hop.ts';
import { OutboundError } from './outbound-error.ts';
import { outboundUrl, type Scheme } from './outbound-url.ts';

/** The only given headers that are sent to another origin: any other header may be a credential. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/**
 * Returns the request after a redirect. Credentials, and a body, which may contain them, are not sent to
 * another origin. Throws OutboundError for an address that the first request could not use either.
 */
export function afterRedirect(
  hop: Hop,
  status: number,
  location: string,
  rules: { readonly schemes: readonly Scheme[]; readonly allowAddresses: boolean },
): Hop {
  if (!URL.canParse(location, hop.url))
    throw new OutboundError('protocol', 'The target redirects to an invalid URL.');
  const url = outboundUrl(new URL(location, hop.url).href, rules);
  const toGet =
    status === 303 ? hop.method !== 'HEAD' : (status === 301 || status === 302) && hop.method === 'POST';
  const method = toGet ? 'GET' : hop.method;
  const body = toGet ? undefined : hop.body;
  if (url.origin === hop.url.origin) return { url, method, headers: withoutBody(hop.headers, body), body };
  if (body !== undefined)
    throw new OutboundError('protocol', 'The target redirects a request with a body to another origin.', {
      hint: 'Use the address that it redirects to.',
    });
  const kept = Object.fromEntries(Object.entries(hop.headers).filter(([name]) => HARMLESS.has(name)));
  return { url, method, headers: withoutBody(kept, body), body };
}

function withoutBody(headers: Hop['headers'], body: Hop['body']): Hop['headers'] {
  if (body !== undefined) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')));
}
