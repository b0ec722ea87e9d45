import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when the answer is JSON, else undefined. */
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export interface CallExtras {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent unchanged instead of a JSON body. */
  readonly raw?: string;
}

/** A bearer token, fixed or determined for each call. `adopt` takes the tokens of a session with a new id. */
export type TokenSource =
  | string
  | ((() => Promise<string>) & { adopt?(answer: Record<string, unknown>): void });

/** Calls the public REST API as one actor. */
export interface RestClient {
  readonly baseUrl: string;
  call(method: string, path: string, body?: unknown, extras?: CallExtras): Promise<RestAnswer>;
  get(path: string, extras?: CallExtras): Promise<RestAnswer>;
  post(path: string, body?: unknown, extras?: CallExtras): Promise<RestAnswer>;
  put(path: string, body?: unknown, extras?: CallExtras): Promise<RestAnswer>;
  patch(path: string, body?: unknown, extras?: CallExtras): Promise<RestAnswer>;
  delete(path: string, extras?: CallExtras): Promise<RestAnswer>;
  /** Like `call`, but throws unless the answer is 2xx: for steps that prepare a test. */
  must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** The same API with another bearer token, which may change between calls, or none. */
  as(token: TokenSource | undefined): RestClient;
  /** The same actor at another gateway. */
  at(baseUrl: string): RestClient;
  /** The same actor from another address of this machine, such as 127.0.0.9. */
  from(localAddress: string): RestClient;
}

interface Way {
  readonly baseUrl: string;
  readonly caCertificate: string;
  readonly localAddress?: string;
}

const agents = new Map<string, Agent>();

/** One connection pool for each CA and own address; trusted explicitly. */
function agentFor({ caCertificate, localAddress }: Way): Agent {
  const key = `${caCertificate} ${localAddress ?? ''}`;
  let agent = agents.get(key);
  if (!agent) {
    agent = new Agent({
      // On a busy machine a hundred parallel handshakes take some time.
      connect: {
        ca: readFileSync(caCertificate, 'utf8'),
        timeout: 60_000,
        ...(localAddress === undefined ? {} : { family: 4 }),
      },
      ...(localAddress === undefined ? {} : { localAddress }),
      connections: 128,
      // Well below the five seconds for which the gateway keeps a connection: one that is about to be closed
      // is not reused.
      keepAliveTimeoutThreshold: 4_000,
    });
    agents.set(key, agent);
  }
  return agent;
}

/** After a second factor was verified, the session in the answer replaces the former one. */
const RAISES_SESSION = new Set(['/api/v1/auth/mfa/verify', '/api/v1/auth/mfa/challenge']);

interface Caller {
  token: TokenSource | undefined;
}

export function createRestClient(options: {
  baseUrl: string;
  caCertificate: string;
  token?: TokenSource | undefined;
}): RestClient {
  return clientOf(options, { token: options.token });
}

function clientOf(options: Way, caller: Caller): RestClient {
  const dispatcher = agentFor(options);
  const call: RestClient['call'] = async (method, path, body, extras = {}) => {
    const payload = extras.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const token = typeof caller.token === 'function' ? await caller.token() : caller.token;
    const response = await request(`${options.baseUrl}${path}`, {
      method: method as 'GET',
      dispatcher,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...extras.headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.body.text();
    const headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    );
    const isJson =
      /json/.test(headers['content-type'] ?? '') &&
      text !== '' &&
      !/jsonl/.test(headers['content-type'] ?? '');
    const parsed = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    if (RAISES_SESSION.has(path) && response.statusCode === 200) adopt(caller, parsed);
    return { status: response.statusCode, headers, text, body: parsed };
  };
  return {
    baseUrl: options.baseUrl,
    call,
    get: (path, extras) => call('GET', path, undefined, extras),
    post: (path, body = {}, extras) => call('POST', path, body, extras),
    put: (path, body = {}, extras) => call('PUT', path, body, extras),
    patch: (path, body = {}, extras) => call('PATCH', path, body, extras),
    delete: (path, extras) => call('DELETE', path, undefined, extras),
    must: async (method, path, body) => {
      const answer = await call(method, path, body);
      if (answer.status < 200 || answer.status > 299)
        throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
      return answer.body;
    },
    as: (token) => clientOf(options, { token }),
    at: (baseUrl) => clientOf({ ...options, baseUrl }, caller),
    from: (localAddress) => clientOf({ ...options, localAddress }, caller),
  };
}

function adopt(caller: Caller, answer: Record<string, unknown>): void {
  if (typeof caller.token === 'function' && caller.token.adopt) caller.token.adopt(answer);
  else caller.token = answer.access_token as string;
}
