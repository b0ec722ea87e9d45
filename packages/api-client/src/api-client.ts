import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type MethodInfo, methodOf, takesIdempotencyKey } from '@claviger/contracts';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { Agent } from 'undici';
import { CliProblem, problemFrom } from './cli-problem.ts';
import { connectionError, LostAnswer } from './connection-error.ts';
import { curlCommand } from './curl-command.ts';
import { answerOf, type WireRequest, wireRequest } from './message-json.ts';

/** An operation of the contract, e.g. `vault.EntriesService.getEntry`. */
export interface Operation<Request, Response> {
  readonly path: string;
  readonly requestDeserialize: (value: Buffer) => Request;
  readonly responseDeserialize: (value: Buffer) => Response;
}

export interface ApiClientOptions {
  /** `https://host:port`, without a path. */
  readonly baseUrl: string;
  /** CA certificates (PEM) to trust instead of the system's. */
  readonly ca?: string;
  /** Path of that CA, for printed commands only. */
  readonly caFile?: string;
  /**
   * The current bearer token; undefined sends none. `fresh`: the last token was refused, so another one is
   * needed.
   */
  readonly token?: (fresh: boolean) => Promise<string | undefined>;
  /** Called for each request with its curl command, without secrets. */
  readonly onRequest?: (curl: string) => void;
  readonly timeoutMs?: number;
}

/** Options of a call. */
export interface CallOptions {
  /** Aborts the call; the server may have executed it. */
  readonly signal?: AbortSignal;
  /**
   * Idempotency key: the server executes the request once, however often it is sent. A new key when absent.
   */
  readonly idempotencyKey?: string;
  /** Sends the request once; the caller handles waiting and repetition. */
  readonly once?: boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

interface WireCall {
  readonly method: string;
  readonly path: string;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

const MAX_WAIT_SECONDS = 5;
const MAX_ATTEMPTS = 5;

/**
 * Client of the REST API over HTTPS. Throws `CliProblem` or `CommandError` for every answer except success.
 */
export class ApiClient implements AsyncDisposable {
  readonly #options: ApiClientOptions;
  readonly #agent: Agent;

  constructor(options: ApiClientOptions) {
    if (!URL.canParse(options.baseUrl) || new URL(options.baseUrl).protocol !== 'https:') {
      throw new CommandError(
        `"${options.baseUrl}" is not an https:// address: passwords and tokens go over HTTPS only`,
        EXIT.usage,
      );
    }
    this.#options = options;
    const timeoutMs = options.timeoutMs ?? 60_000;
    this.#agent = new Agent({
      connect: { timeout: 10_000, ...(options.ca === undefined ? {} : { ca: options.ca }) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** Calls an operation with a message of its request type; fields that are not given are not sent. */
  async call<Request extends object, Response extends object>(
    operation: Operation<Request, Response>,
    request: Partial<Request>,
    options: CallOptions = {},
  ): Promise<Response> {
    return (await this.invoke(methodOf(operation.path), request, options)) as Response;
  }

  /** Calls an operation by its declaration in the contract. */
  async invoke(
    info: MethodInfo,
    request: object,
    { signal, idempotencyKey, once = false }: CallOptions = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const plain = wireRequest(info, request);
    this.#options.onRequest?.(curlCommand(this.#options, plain, info.request));
    const own = takesIdempotencyKey(info) && !once ? randomUUID() : undefined;
    const key = idempotencyKey ?? own;
    const wire = {
      ...plain,
      ...(signal === undefined ? {} : { signal }),
      ...(key === undefined ? {} : { idempotencyKey: key }),
    };
    const send = () => this.#send(wire);
    const patiently = () => this.#patiently(send);
    const answer = await (once ? send() : key === undefined ? patiently() : this.#sendAgain(patiently));
    const json: unknown = answer.text === '' ? {} : JSON.parse(answer.text);
    return answerOf(info, json) as Record<string, unknown>;
  }

  /** Sends any request; `body` is JSON and is sent unchanged. */
  raw(method: string, path: string, body?: string): Promise<RawAnswer> {
    if (!path.startsWith('/')) throw new CommandError(`"${path}" must start with /`, EXIT.usage);
    this.#options.onRequest?.(curlCommand(this.#options, { method, path, hasBody: body !== undefined }));
    return this.#patiently(() => this.#send({ method, path }, body));
  }

  /** Streams the bytes of the answer, for exports. */
  async *stream(path: string): AsyncGenerator<Uint8Array> {
    this.#options.onRequest?.(curlCommand(this.#options, { method: 'GET', path }));
    const response = await this.#dispatch({ method: 'GET', path }, undefined);
    if (response.statusCode >= 300)
      throw problemFrom(response.statusCode, await response.body.text(), response.headers);
    try {
      for await (const chunk of response.body) yield chunk as Uint8Array;
    } catch (error) {
      throw connectionError(this.#options.baseUrl, error);
    }
  }

  /** Repeats a request without an answer under its idempotency key: the server executes it once. */
  async #sendAgain(send: () => Promise<RawAnswer>): Promise<RawAnswer> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof LostAnswer)) throw error;
      return send();
    }
  }

  /**
   * Waits and repeats after a short rate limit, or while the same request is still running. The refused
   * request had no effect.
   */
  async #patiently(send: () => Promise<RawAnswer>): Promise<RawAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send();
      } catch (error) {
        const problem = error instanceof CliProblem ? error.problem : undefined;
        const waits = problem?.status === 429 || problem?.code === 'request_in_progress';
        const seconds = problem?.retryAfterSeconds ?? 0;
        if (!waits || seconds < 1 || seconds > MAX_WAIT_SECONDS || attempt >= MAX_ATTEMPTS) throw error;
        await pause(seconds * 1_000);
      }
    }
  }

  async #send(wire: WireCall & { readonly body?: WireRequest['body'] }, text?: string): Promise<RawAnswer> {
    const body = text ?? (wire.body === undefined ? undefined : JSON.stringify(wire.body));
    const { statusCode, headers, body: answer } = await this.#dispatch(wire, body);
    const answerText = await answer.text().catch((error: unknown) => {
      throw connectionError(this.#options.baseUrl, error);
    });
    if (statusCode < 200 || statusCode >= 300) throw problemFrom(statusCode, answerText, headers);
    return { status: statusCode, contentType: String(headers['content-type'] ?? ''), text: answerText };
  }

  async #dispatch(wire: WireCall, body: string | undefined) {
    const token = await this.#options.token?.(false);
    const first = await this.#request(wire, body, token);
    if (first.statusCode !== 401 || token === undefined) return first;
    // A token is refused before the operation runs, so the request can be repeated once with another token.
    const another = await this.#options.token?.(true);
    if (another === undefined || another === token) return first;
    await first.body.dump();
    return this.#request(wire, body, another);
  }

  async #request(wire: WireCall, body: string | undefined, token: string | undefined) {
    try {
      return await this.#agent.request({
        origin: this.#options.baseUrl,
        path: wire.path,
        method: wire.method as 'GET',
        headers: {
          accept: '*/*',
          'user-agent': 'claviger-cli',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(wire.idempotencyKey === undefined ? {} : { 'idempotency-key': wire.idempotencyKey }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        ...(wire.signal === undefined ? {} : { signal: wire.signal }),
      });
    } catch (error) {
      throw connectionError(this.#options.baseUrl, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }
}
