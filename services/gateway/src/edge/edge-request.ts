import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ClavigerError } from '@claviger/errors';
import type { EdgeCall } from '../authentication/authenticator.ts';
import { headerInvalid } from './header-invalid.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What the edge knows of a request before any route sees it. */
export interface EdgeRequest extends IncomingMessage {
  edge?: EdgeCall;
}

export function edgeCallOf(request: EdgeRequest): EdgeCall {
  if (!request.edge) nameSource(request, plainAddress(request.socket.remoteAddress));
  return request.edge!;
}

/** Says whose request it is, once, before anything else looks at it. */
export function nameSource(request: EdgeRequest, sourceAddress: string): void {
  request.edge = { requestId: requestIdOf(request.headers['x-request-id']), sourceAddress };
}

/** The client's own id for the request where it is one, else a new one. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** The refusal of an X-Request-Id that logs and the audit log could not hold; undefined for none, and for a good one. */
export function requestIdProblem(request: EdgeRequest): ClavigerError | undefined {
  const given = request.headers['x-request-id'];
  if (given === undefined || given === edgeCallOf(request).requestId) return undefined;
  return headerInvalid(
    'X-Request-Id',
    'Send 1 to 64 letters, digits, dots, underscores and hyphens, or leave it out: the answer then names a new one.',
  );
}

/** An IPv4 address that a socket shows as IPv6, in its own form. */
export function plainAddress(remote: string | undefined): string {
  if (remote === undefined) return '';
  return remote.startsWith('::ffff:') ? remote.slice('::ffff:'.length) : remote;
}

/** The caller's trace; undefined for what is none, which starts a new one (W3C Trace Context, 3.2.2.2). */
export function traceparentOf(request: IncomingMessage): string | undefined {
  const given = request.headers.traceparent;
  return typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined;
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
