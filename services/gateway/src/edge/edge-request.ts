import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { EdgeCall } from '../authentication/authenticator.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What the edge knows of a request before any route sees it. */
export interface EdgeRequest extends IncomingMessage {
  edge?: EdgeCall;
  contentType?: string | undefined;
}

/** The framework would judge the type of a body before we know who sends it: it is kept out of its sight. */
export function keepContentType(request: EdgeRequest): void {
  request.contentType = request.headers['content-type'];
  delete request.headers['content-type'];
}

export function edgeCallOf(request: EdgeRequest): EdgeCall {
  if (!request.edge) nameSource(request, plainAddress(request.socket.remoteAddress));
  return request.edge!;
}

/** Says whose request it is, once, before anything else looks at it. */
export function nameSource(request: EdgeRequest, sourceAddress: string): void {
  request.edge = { requestId: requestIdOf(request.headers['x-request-id']), sourceAddress };
}

/** The client's own id for the request where it is harmless in logs and headers, else a new one. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** An IPv4 address that a socket shows as IPv6, in its own form. */
export function plainAddress(remote: string | undefined): string {
  if (remote === undefined) return '';
  return remote.startsWith('::ffff:') ? remote.slice('::ffff:'.length) : remote;
}

export function traceparentOf(request: IncomingMessage): string | undefined {
  const given = request.headers.traceparent;
  return typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined;
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
