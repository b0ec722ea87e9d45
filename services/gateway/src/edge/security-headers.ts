import type { IncomingMessage, ServerResponse } from 'node:http';

const HSTS = 'max-age=31536000';

/** On every answer. No CORS header at all: no other site may read what is answered here. */
export function setSecurityHeaders(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.setHeader('Referrer-Policy', 'no-referrer');
  // A browser would remember it for every port of the machine, also for plain HTTP that has nothing to do with us.
  if (!request.headers.host?.startsWith('localhost')) response.setHeader('Strict-Transport-Security', HSTS);
}
