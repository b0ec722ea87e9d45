import type { OutboundClient } from './client.ts';

/**
 * Returns a `fetch` over a guarded client, for libraries that accept one (OpenID clients, JWKS readers).
 * Answers are kept in memory up to the client's limit. Rejects like `fetch` with a TypeError, whose cause is
 * the OutboundError.
 */
export function outboundFetch(
  client: OutboundClient,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    try {
      const answer = await client.request({
        url: typeof input === 'string' ? input : request.url,
        method: request.method,
        headers: Object.fromEntries(request.headers),
        signal: request.signal,
        redirect: request.redirect === 'follow' ? 'follow' : 'manual',
        ...(body === undefined ? {} : { body }),
      });
      const withoutBody = [204, 205, 304].includes(answer.status);
      return new Response(withoutBody ? null : new Uint8Array(answer.body), {
        status: answer.status,
        headers: answer.headers,
      });
    } catch (cause) {
      throw new TypeError('fetch failed', { cause });
    }
  };
}
