import type { Hop } from './hop.ts';
import { OutboundError } from './outbound-error.ts';
import { outboundUrl, type Scheme } from './outbound-url.ts';

/** Of what the caller set, only this goes to another origin: everything else may be a credential. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/**
 * The request that follows a redirect. To another origin go no credentials, and no body, which may hold them.
 * Throws OutboundError for an address that would not be allowed to begin with.
 */
export function afterRedirect(
  hop: Hop,
  status: number,
  location: string,
  rules: { readonly schemes: readonly Scheme[]; readonly allowAddresses: boolean },
): Hop {
  if (!URL.canParse(location, hop.url))
    throw new OutboundError('protocol', 'The target redirects to what is no URL.');
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
