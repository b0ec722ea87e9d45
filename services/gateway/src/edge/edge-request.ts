import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ClavigerError } from '@claviger/errors';
import type { EdgeCall } from '../authentication/authenticator.ts';
import { headerInvalid } from './header-invalid.ts';

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A request with the facts that the edge determines before routing. */
export interface EdgeRequest extends IncomingMessage {
  edge?: EdgeCall;
}

export function edgeCallOf(request: EdgeRequest): EdgeCall {
  if (!request.edge) nameSource(request, plainAddress(request.socket.remoteAddress));
  return request.edge!;
}

/** Sets the source of a request once, before anything else reads it. */
export function nameSource(request: EdgeRequest, sourceAddress: string): void {
  request.edge = { requestId: requestIdOf(request.headers['x-request-id']), sourceAddress };
}

/** The client's request id when valid, otherwise a new one. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Returns the refusal of an X-Request-Id that must not be logged; undefined for none or a valid one. */
export function requestIdProblem(request: EdgeRequest): ClavigerError | undefined {
  const given = request.headers['x-request-id'];
  if (given === undefined || given === edgeCallOf(request).requestId) return undefined;
  return headerInvalid(
    'X-Request-Id',
    'Send 1 to 64 letters, digits, dots, underscores and hyphens, or omit the header: the response then has a new id.',
  );
}

/** Converts an IPv4-mapped IPv6 address to IPv4. */
export function plainAddress(remote: string | undefined): string {
  if (remote === undefined) return '';
  return remote.startsWith('::ffff:') ? remote.slice('::ffff:'.length) : remote;
}

/**
 * The client's trace; undefined for an invalid header, which starts a new trace (W3C Trace Context, 3.2.2.2).
 */
export function traceparentOf(request: IncomingMessage): string | undefined {
  const given = request.headers.traceparent;
  return typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined;
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
