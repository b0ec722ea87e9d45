const MAX_LENGTH = 8_192;
const API_TOKEN_PREFIX = 'clv_';
const AGENT_TOKEN_PREFIX = 'cla_';
// RFC 6750: one scheme, one token.
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export type Bearer =
  | { readonly kind: 'access-token'; readonly token: string }
  | { readonly kind: 'api-token'; readonly token: string }
  | { readonly kind: 'agent-token'; readonly token: string };

/** The credential of an Authorization header; undefined without one, `malformed` when it cannot be read. */
export function bearerOf(header: string | undefined): Bearer | 'malformed' | undefined {
  if (header === undefined) return undefined;
  if (header.length > MAX_LENGTH) return 'malformed';
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) return 'malformed';
  if (token.startsWith(API_TOKEN_PREFIX)) return { kind: 'api-token', token };
  return { kind: token.startsWith(AGENT_TOKEN_PREFIX) ? 'agent-token' : 'access-token', token };
}
