import type { IncomingMessage, ServerResponse } from 'node:http';

const HSTS = 'max-age=31536000';

/** Set on every answer. Without CORS headers, no other site can read answers. */
export function setSecurityHeaders(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.setHeader('Referrer-Policy', 'no-referrer');
  // Browsers apply HSTS to all ports of a host, including unrelated plain HTTP on localhost.
  if (!request.headers.host?.startsWith('localhost')) response.setHeader('Strict-Transport-Security', HSTS);
}
