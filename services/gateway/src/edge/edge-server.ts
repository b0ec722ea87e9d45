import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { ClavigerError } from '@claviger/errors';
import { type Logger, splitAddress } from '@claviger/service-kit';
import { isCanonicalTarget, MAX_TARGET_LENGTH } from './canonical-target.ts';
import { type EdgeRequest, edgeCallOf, nameSource, requestIdProblem } from './edge-request.ts';
import { answerProblem } from './problem-answer.ts';
import type { ProxyTrust } from './proxy-trust.ts';
import { repeatedHeader } from './repeated-header.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { type TlsFiles, tlsOptions, watchTlsFiles } from './tls-context.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const TIMEOUT_CHECK_MS = 1_000;
const IDLE_SWEEP_MS = 100;
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
const KNOWN_HEADERS =
  /^(?:authorization|content-(?:encoding|length|type)|host|idempotency-key|if-match|traceparent|transfer-encoding|x-forwarded-(?:for|host|port|proto)|x-request-id)$/;

export interface EdgeServer {
  /** Starts serving; returns the port. */
  listen(address: string): Promise<number>;
  /** Stops accepting, lets running requests finish within the time, then closes their connections. */
  stop(timeoutMs: number): Promise<void>;
}

export interface EdgeServerOptions {
  readonly tls: TlsFiles;
  readonly proxyTrust: ProxyTrust;
  readonly logger: Logger;
  readonly route: (request: EdgeRequest, response: ServerResponse) => void;
}

/** Serves HTTP/1.1 over TLS. Refuses requests that are not canonical before routing. */
export function createEdgeServer(options: EdgeServerOptions): EdgeServer {
  let stopping = false;
  const server: Server = createServer(
    {
      ...tlsOptions(options.tls),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HEADERS_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request: EdgeRequest, response) => {
      setSecurityHeaders(request, response);
      nameSource(request, options.proxyTrust.clientAddress(request));
      response.setHeader('X-Request-Id', edgeCallOf(request).requestId);
      if (stopping) response.setHeader('Connection', 'close');
      if (!refuse(request, response, options)) options.route(request, response);
    },
  );
  // Node.js drops headers over its limit silently: accept all here and refuse too many below.
  server.maxHeadersCount = 0;
  server.on('clientError', answerClientError);
  const stopWatching = watchTlsFiles(server, options.tls, options.logger);
  return {
    listen: (address) => {
      const { host, port } = splitAddress(address);
      return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve((server.address() as { port: number }).port));
      });
    },
    stop: async (timeoutMs) => {
      stopping = true;
      stopWatching();
      const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
      // A keep-alive connection becomes idle only after its running request.
      const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(timer);
      clearInterval(sweep);
    },
  };
}

/** Answers a request that must not be routed. Returns true when it has answered. */
function refuse(request: EdgeRequest, response: ServerResponse, options: EdgeServerOptions): boolean {
  const repeated = repeatedHeader(request.rawHeaders, options.proxyTrust.isProxied(request));
  if (repeated !== undefined) {
    // An unknown header name may be a misplaced secret.
    const named = KNOWN_HEADERS.test(repeated) ? `The header ${repeated}` : 'A header';
    const error = new ClavigerError('invalid', `${named} was sent more than once.`, {
      code: 'header_repeated',
      hint: 'Send each header once.',
    });
    response.setHeader('Connection', 'close');
    answerProblem(request, response, error);
    return true;
  }
  const badRequestId = requestIdProblem(request);
  if (badRequestId) {
    answerProblem(request, response, badRequestId);
    return true;
  }
  const target = request.url ?? '';
  if (target.length > MAX_TARGET_LENGTH) {
    const error = new ClavigerError('payload_too_large', 'The address of the request is too long.', {
      code: 'uri_too_long',
    });
    answerProblem(request, response, error, { status: 414, title: 'Address too long' });
    return true;
  }
  if (request.rawHeaders.length > 2 * MAX_HEADERS) {
    const error = new ClavigerError(
      'payload_too_large',
      `A request can have at most ${MAX_HEADERS} headers.`,
      {
        code: 'headers_too_large',
      },
    );
    answerProblem(request, response, error, { status: 431, title: 'Headers too large' });
    return true;
  }
  if (!options.proxyTrust.isOurs(request)) {
    const error = new ClavigerError('invalid', 'This server does not serve the requested host.', {
      code: 'misdirected',
      hint: 'Use the public URL of this server; an operator can add host names under http.hosts.',
    });
    answerProblem(request, response, error, { status: 421, title: 'Misdirected request' });
    return true;
  }
  if (!isCanonicalTarget(target)) {
    answerProblem(
      request,
      response,
      new ClavigerError('invalid', 'The path of the request is not in its canonical form.', {
        code: 'path_not_canonical',
        hint: 'Remove empty and dot segments, and encode only characters that require it.',
      }),
    );
    return true;
  }
  return false;
}

/** A parser error with the packet and the position. */
interface ParseError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** The header at which the parser stopped; undefined for an unknown name, which may be a misplaced secret. */
function brokenHeader({ code, rawPacket, bytesParsed = 0 }: ParseError): string | undefined {
  if (!rawPacket || !code?.startsWith('HPE_')) return undefined;
  const line = rawPacket.subarray(rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1, bytesParsed);
  const name = /^([A-Za-z-]+):/.exec(line.toString('latin1'))?.[1]?.toLowerCase();
  return name !== undefined && KNOWN_HEADERS.test(name) ? name : undefined;
}

/** Answers input that is not HTTP, without repeating any of it. */
function answerClientError(error: ParseError, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, title] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'headers_too_large', 'Headers too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'request_timeout', 'The request took too long to arrive']
        : [400, 'malformed_request', 'Not an HTTP request'];
  const header = status === 400 ? brokenHeader(error) : undefined;
  const correlationId = randomUUID();
  const body = JSON.stringify({
    type: `urn:claviger:problem:${code}`,
    title,
    status,
    detail: header === undefined ? title : `The header ${header} contains characters that are not allowed.`,
    code,
    retryable: false,
    correlationId,
  });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${correlationId}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
