import type { ServerResponse } from 'node:http';
import {
  type ClavigerError,
  isClavigerError,
  problemDocument,
  ClavigerError as Refusal,
} from '@claviger/errors';
import type { Logger } from '@claviger/service-kit';
import { type EdgeRequest, edgeCallOf, hasBody } from './edge-request.ts';

/** The rest of a body of up to this size is read and discarded; for a longer one the connection is closed. */
const DRAIN_LIMIT_BYTES = 65_536;

/** Returns the error that the client may see. Logs an unexpected error and shows only the request id. */
export function shownError(error: unknown, requestId: string, logger: Logger): ClavigerError {
  if (isClavigerError(error)) {
    error.correlationId ??= requestId;
    if (error.reason === 'internal') logger.error({ err: error, requestId }, 'request failed');
    return error;
  }
  logger.error({ err: error, requestId }, 'request failed');
  return new Refusal('internal', 'An internal error occurred.', {
    correlationId: requestId,
    hint: `The service logs have details under the request id ${requestId}.`,
  });
}

/** Answers with an RFC 9457 problem. Returns its status. */
export function answerProblem(
  request: EdgeRequest,
  response: ServerResponse,
  error: ClavigerError,
  overrides: { readonly status?: number; readonly title?: string } = {},
): number {
  error.correlationId ??= edgeCallOf(request).requestId;
  const document = { ...problemDocument(error), ...overrides };
  if (error.reason === 'unauthenticated') response.setHeader('WWW-Authenticate', challengeFor(error));
  if (error.retryAfterSeconds !== undefined)
    response.setHeader('Retry-After', Math.ceil(error.retryAfterSeconds));
  if (leavesMuchUnread(request)) response.setHeader('Connection', 'close');
  const body = JSON.stringify(document);
  response.writeHead(document.status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
  return document.status;
}

function challengeFor(error: ClavigerError): string {
  return error.code === 'token_missing'
    ? 'Bearer realm="claviger"'
    : 'Bearer realm="claviger", error="invalid_token"';
}

function leavesMuchUnread(request: EdgeRequest): boolean {
  if (request.complete || !hasBody(request)) return false;
  const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  return length > DRAIN_LIMIT_BYTES;
}
