import type { ServerResponse } from 'node:http';
import {
  bodyLimitOf,
  contractProblem,
  type HttpBinding,
  type MethodInfo,
  takesIdempotencyKey,
} from '@claviger/contracts';
import type { HttpBody } from '@claviger/contracts/google/api/httpbody';
import { ClavigerError } from '@claviger/errors';
import {
  currentTraceparent,
  failpoint,
  inSpan,
  type Logger,
  type Peers,
  SpanKind,
} from '@claviger/service-kit';
import { type EdgeRequest, edgeCallOf, hasBody, traceparentOf } from '../edge/edge-request.ts';
import { answerProblem, shownError } from '../edge/problem-answer.ts';
import { readJsonBody } from '../edge/read-body.ts';
import { idempotencyKeyOf } from '../transcoder/idempotency-key.ts';
import type { Message } from '../transcoder/message-template.ts';
import { conditions, entityTag, namesTag } from '../transcoder/preconditions.ts';
import { requestDecoder } from '../transcoder/request-decoder.ts';
import { type EncodedResponse, responseEncoder } from '../transcoder/response-encoder.ts';
import { type AdmitDeps, admitAgainFor, admitFor } from './admit.ts';
import { type CallOptions, clientMethod } from './service-definitions.ts';
import { answerStream } from './stream-answer.ts';

const CALL_TIMEOUT_MS = 30_000;

export interface NativeRouteDeps extends AdmitDeps {
  readonly peers: Peers;
  readonly logger: Logger;
  /** Aborts when the gateway stops; waiting calls then end. */
  readonly stopping: AbortSignal;
}

/** Serves a request; never throws. */
export type ServeRoute = (
  request: EdgeRequest,
  response: ServerResponse,
  path: Readonly<Record<string, string>>,
) => Promise<void>;

/**
 * Serves a native operation: admit, read, decode, call, encode. Compiles everything that depends only on the
 * contract once, at start; an error in the contract prevents the start.
 */
export function nativeRoute(method: MethodInfo, binding: HttpBinding, deps: NativeRouteDeps): ServeRoute {
  const problem = contractProblem(method);
  if (problem) throw new Error(`The gateway cannot start: ${method.path} ${problem}.`);
  const admit = admitFor(method, deps);
  const decode = requestDecoder(method, binding);
  const applyConditions = conditions(method, binding);
  const call = clientMethod(deps.peers, method.owner, method.service, method.property);
  const encode = method.responseStream ? undefined : responseEncoder(method, binding);
  const empty = method.policy!.successStatus === 204;
  const bodyLimitBytes = bodyLimitOf(method);
  const keyOf = takesIdempotencyKey(method) ? idempotencyKeyOf : undefined;
  const waits = method.request.fields.some(({ protoName }) => protoName === 'wait_seconds');
  const admitAgain = waits ? admitAgainFor(method, deps) : undefined;
  const conditional = binding.method === 'GET' && !method.policy!.discloses;

  const serve = async (
    request: EdgeRequest,
    response: ServerResponse,
    path: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const edge = edgeCallOf(request);
    const actor = await admit(request, response, edge);
    const body = await bodyOf(request, binding, bodyLimitBytes);
    const message = decode({ path, query: queryOf(request), body });
    applyConditions?.(message, request.headers);
    const options: CallOptions = { ...edge, actorToken: actor?.actorToken, ...keyOf?.(request) };
    if (!encode) return stream(message, options, request, response);
    const signal = waits ? gone(response, deps.stopping) : undefined;
    const bounded = { ...options, timeoutMs: CALL_TIMEOUT_MS, signal, waits };
    const answer = (await call(message, bounded)) as Message;
    if (method.policy!.discloses) await failpoint('gateway.after_disclosure');
    // The token may have been revoked while the call waited.
    if (admitAgain && actor) await admitAgain(request, edge, actor);
    if (empty) response.writeHead(204).end();
    else send(request, response, encode(answer), conditional);
  };

  const stream = async (
    message: Message,
    options: CallOptions,
    request: EdgeRequest,
    response: ServerResponse,
  ): Promise<void> => {
    const messages = call(message, { ...options, signal: gone(response) }) as AsyncIterable<HttpBody>;
    await answerStream(request, response, binding, messages);
  };

  return (request, response, path) =>
    inSpan(
      `${request.method} ${binding.path}`,
      {
        kind: SpanKind.SERVER,
        parent: traceparentOf(request),
        attributes: { 'http.request.method': request.method!, 'http.route': binding.path },
      },
      async (span) => {
        const traceparent = currentTraceparent();
        if (traceparent) response.setHeader('traceparent', traceparent);
        try {
          await serve(request, response, path);
        } catch (error) {
          refuse(error, request, response, deps.logger);
        }
        span?.setAttribute('http.response.status_code', response.statusCode);
      },
    );
}

/** Aborts when the client disconnects, the answer ends, or the gateway stops. */
function gone(response: ServerResponse, stopping?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  response.once('close', () => {
    stopping?.removeEventListener('abort', abort);
    abort();
  });
  stopping?.addEventListener('abort', abort);
  if (stopping?.aborted) abort();
  return controller.signal;
}

function refuse(error: unknown, request: EdgeRequest, response: ServerResponse, logger: Logger): void {
  const { requestId } = edgeCallOf(request);
  if (response.destroyed) return;
  const shown = shownError(error, requestId, logger);
  if (response.headersSent) {
    logger.warn({ requestId, code: shown.code }, 'an answer was aborted');
    response.destroy();
  } else answerProblem(request, response, shown);
}

function queryOf(request: EdgeRequest): string {
  const target = request.url!;
  const question = target.indexOf('?');
  return question < 0 ? '' : target.slice(question + 1);
}

async function bodyOf(
  request: EdgeRequest,
  binding: HttpBinding,
  limitBytes: number,
): Promise<Buffer | undefined> {
  if (binding.body) return readJsonBody(request, limitBytes);
  if (hasBody(request)) throw new ClavigerError('invalid', 'This operation does not accept a body.');
  return undefined;
}

function send(
  request: EdgeRequest,
  response: ServerResponse,
  body: EncodedResponse,
  conditional: boolean,
): void {
  if (body.rowVersion !== undefined) {
    const tag = entityTag(body.rowVersion, body.json);
    response.setHeader('ETag', tag);
    if (conditional && namesTag(request.headers['if-none-match'], tag)) {
      response.writeHead(304).end();
      return;
    }
  }
  response.writeHead(body.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body.json),
  });
  response.end(body.json);
}
