import { type ClientRequest, type IncomingMessage, request as sendPlain } from 'node:http';
import { request as sendSecure } from 'node:https';
import type { Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Hop } from './hop.ts';
import { openSocket } from './open-socket.ts';
import { OutboundError } from './outbound-error.ts';
import { hostOf, outboundUrl, portOf, type Scheme } from './outbound-url.ts';
import { afterRedirect } from './redirect.ts';
import type { Lookup } from './resolve-target.ts';
import type { TargetPolicy } from './target-policy.ts';
import { startTls, type TlsTrust } from './tls-trust.ts';

export interface OutboundClientOptions {
  /** The allowed targets; every address of a host must pass. */
  readonly policy: TargetPolicy;
  /**
   * Default `https` only. Plain `http` is allowed to loopback and private addresses only, even if others are
   * listed.
   */
  readonly schemes?: readonly Scheme[];
  /** Whether URLs may contain IP addresses instead of names. Default false. */
  readonly allowAddresses?: boolean;
  /** Default: the public CAs of Node.js. */
  readonly trust?: TlsTrust;
  /** The addresses allowed for plain `http`. Default `private`, which includes loopback. */
  readonly plainReach?: 'loopback' | 'private';
  /** Limit for name lookup and TCP connect. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Limit from the first lookup to the last byte of the answer, including redirects. Default 10,000. */
  readonly totalTimeoutMs?: number;
  /** A longer answer is an error. Default 262,144. */
  readonly maxBodyBytes?: number;
  /** Default 3. */
  readonly maxRedirects?: number;
  /** For tests: replaces the system's resolver. */
  readonly lookup?: Lookup;
}

export interface OutboundRequest {
  readonly url: string;
  /** Default GET. */
  readonly method?: string;
  /** The client sets `host`, `content-length` and connection headers; they are refused here. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** `manual` returns a redirect as the answer. Default `follow`. */
  readonly redirect?: 'follow' | 'manual';
  /**
   * Awaited immediately before a request is sent; an error it throws ends the call before anything is sent.
   */
  readonly beforeSend?: () => void | Promise<void>;
}

export interface OutboundResponse {
  readonly status: number;
  /** Names in lower case; repeated headers are joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** For the calling code only: never part of an answer to a user. */
  readonly body: Buffer;
  /** The final URL after redirects. */
  readonly url: string;
}

export interface OutboundClient {
  /** Throws OutboundError. An answer with any status counts as an answer. */
  request(request: OutboundRequest): Promise<OutboundResponse>;
}

/** Limit of 1xx answers before the final one; no other limit counts their bytes. */
const MAX_INTERIM_ANSWERS = 10;

/**
 * Creates the HTTP client. It resolves each host once, checks all its addresses, and connects to a checked
 * address under the name in the URL. It ignores proxies of the environment and does not keep connections.
 */
export function createOutboundClient(options: OutboundClientOptions): OutboundClient {
  const {
    policy,
    schemes = ['https'],
    allowAddresses = false,
    trust = { mode: 'system' },
    plainReach = 'private',
    connectTimeoutMs = 5_000,
    totalTimeoutMs = 10_000,
    maxBodyBytes = 262_144,
    maxRedirects = 3,
    lookup,
  } = options;
  const rules = { schemes, allowAddresses };

  /** `progress.sent` becomes true when the first byte may have been sent. */
  async function exchange(
    hop: Hop,
    signal: AbortSignal,
    progress: { sent: boolean },
    beforeSend: OutboundRequest['beforeSend'],
  ): Promise<OutboundResponse> {
    const { url } = hop;
    const host = hostOf(url);
    const reach = { allow: policy, connectTimeoutMs };
    const opened = await openSocket(host, portOf(url), reach, signal, lookup);
    let socket: Socket = opened.socket;
    try {
      if (url.protocol === 'https:')
        socket = await startTls(socket, host, trust, { ALPNProtocols: ['http/1.1'] });
      else if (!isNearby(opened.address, plainReach))
        throw new OutboundError(
          'configuration',
          `Plain http is allowed to ${plainReach === 'private' ? 'loopback and private' : 'loopback'} addresses only.`,
          {
            hint: 'Use https.',
          },
        );
      const outgoing = prepare(hop, socket, maxBodyBytes);
      const answer = answerTo(outgoing, signal, maxBodyBytes);
      // The await below reports the error. Without this handler, an earlier rejection would end the process.
      answer.catch(() => {});
      try {
        await beforeSend?.();
      } catch (error) {
        outgoing.destroy();
        throw error;
      }
      if (!outgoing.destroyed) progress.sent = true;
      outgoing.end(hop.body);
      return { ...(await answer), url: url.href };
    } finally {
      socket.destroy();
      opened.socket.destroy();
    }
  }

  return {
    async request(request) {
      const signal = AbortSignal.any([
        AbortSignal.timeout(totalTimeoutMs),
        ...(request.signal ? [request.signal] : []),
      ]);
      const progress = { sent: false };
      try {
        let hop: Hop = {
          url: outboundUrl(request.url, rules),
          method: method(request.method ?? 'GET'),
          headers: checkedHeaders(request.headers ?? {}),
          body: request.body,
        };
        for (let redirects = 0; ; redirects += 1) {
          const answer = await exchange(hop, signal, progress, request.beforeSend);
          const location = answer.headers.location;
          const moved = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
          if (!moved || request.redirect === 'manual') return answer;
          if (redirects === maxRedirects)
            throw new OutboundError('protocol', `The target redirects more than ${maxRedirects} times.`);
          hop = afterRedirect(hop, answer.status, location, rules);
        }
      } catch (error) {
        throw withSent(error, progress.sent);
      }
    },
  };
}

function method(name: string): string {
  if (/^[A-Z]{1,20}$/.test(name) && name !== 'CONNECT' && name !== 'TRACE') return name;
  throw new OutboundError('configuration', 'The method is not an allowed HTTP method.');
}

const OWN_HEADERS =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|content-length|upgrade|expect|proxy-.*)$/;

function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked = new Map<string, string>();
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name) || OWN_HEADERS.test(name) || checked.has(name))
      throw new OutboundError('configuration', `The header '${name.slice(0, 40)}' may not be set here.`);
    if (!/^[\x20-\x7e]*$/.test(value) || value.length > 8_192)
      throw new OutboundError('configuration', `The header '${name}' contains more than printable ASCII.`);
    checked.set(name, value);
  }
  return Object.fromEntries(checked);
}

function isNearby(address: string, reach: 'loopback' | 'private'): boolean {
  const range = ipaddr.parse(address).range();
  return range === 'loopback' || (reach === 'private' && (range === 'private' || range === 'uniqueLocal'));
}

/** Sends nothing before `end()`. */
function prepare(hop: Hop, socket: Socket, maxBodyBytes: number): ClientRequest {
  const { url, body } = hop;
  const length = body === undefined ? undefined : Buffer.byteLength(body);
  const needsLength = length !== undefined || ['POST', 'PUT', 'PATCH'].includes(hop.method);
  const send = url.protocol === 'https:' ? sendSecure : sendPlain;
  return send({
    method: hop.method,
    host: hostOf(url),
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    headers: {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'claviger',
      ...hop.headers,
      ...(needsLength ? { 'content-length': String(length ?? 0) } : {}),
      host: url.host,
      connection: 'close',
    },
    setDefaultHeaders: false,
    maxHeaderSize: Math.min(16_384, maxBodyBytes),
    // No agent: no connection pool and no proxy from the environment.
    createConnection: () => socket,
  });
}

function answerTo(
  outgoing: ClientRequest,
  signal: AbortSignal,
  maxBodyBytes: number,
): Promise<Omit<OutboundResponse, 'url'>> {
  const { promise, resolve, reject } = Promise.withResolvers<Omit<OutboundResponse, 'url'>>();
  const fail = (error: OutboundError) => {
    reject(error);
    outgoing.destroy();
  };
  const onAbort = () =>
    fail(new OutboundError('unreachable', 'The target did not answer in time, or the call was cancelled.'));
  const broken = (cause?: unknown) => fail(asBroken(cause));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  outgoing.on('error', broken);
  outgoing.on('upgrade', (_message, socket) => {
    socket.destroy();
    fail(new OutboundError('protocol', 'The target answered with another protocol than HTTP.'));
  });
  let interim = 0;
  outgoing.on('information', () => {
    interim += 1;
    if (interim > MAX_INTERIM_ANSWERS)
      fail(new OutboundError('protocol', 'The target sends too many interim answers.'));
  });
  outgoing.on('close', () => {
    signal.removeEventListener('abort', onAbort);
    reject(asBroken());
  });
  outgoing.on('response', (message: IncomingMessage) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBodyBytes)
        return fail(new OutboundError('protocol', `The answer is longer than ${maxBodyBytes} bytes.`));
      chunks.push(chunk);
    });
    message.on('error', broken);
    message.on('end', () => {
      if (!message.complete) return broken();
      resolve({ status: message.statusCode ?? 0, headers: joined(message), body: Buffer.concat(chunks) });
    });
  });
  return promise;
}

function joined(message: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(message.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  );
}

function asBroken(cause?: unknown): OutboundError {
  if (cause instanceof OutboundError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'closed';
  if (code.startsWith('HPE_'))
    return new OutboundError('protocol', `The answer of the target is not valid HTTP (${code}).`, { cause });
  return new OutboundError('unreachable', `The connection broke before the answer was complete (${code}).`, {
    cause,
  });
}

/** Errors of `beforeSend` are returned unchanged. */
function withSent(error: unknown, sent: boolean): unknown {
  if (!(error instanceof OutboundError) || error.sent === sent) return error;
  return new OutboundError(error.kind, error.message, {
    sent,
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
