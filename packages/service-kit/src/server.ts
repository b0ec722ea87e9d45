import { randomUUID } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import {
  type MethodInfo,
  methodOf,
  methodsOfService,
  normalizeIds,
  type ServiceDefinition,
  takesIdempotencyKey,
  validateMessage,
} from '@claviger/contracts';
import * as calls from '@claviger/contracts/cluster/v1/calls';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { encodeServiceError } from '@claviger/errors/grpc';
import {
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { Actor } from './actor.ts';
import type { ActorVerifier } from './actor-token.ts';
import type { Anomaly, ReportAnomaly } from './anomaly.ts';
import type { RecordOutcome } from './audit-trail.ts';
import { authorize, mayCall, policyProblem } from './authorize.ts';
import type { CallContext } from './call-context.ts';
import { createCallStreams, type Dispatch } from './call-stream-server.ts';
import { describeCertificate, serviceOf } from './caller-identity.ts';
import type { BaseConfig } from './config.ts';
import { type CostlyWork, createCostlyWork, joinKey } from './costly-work.ts';
import { serverCredentials } from './credentials.ts';
import type { Handlers } from './handlers.ts';
import { type IdempotencyGuard, isRepetition, type MessageCodec, runOnce } from './idempotent-call.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { Logger } from './logger.ts';
import { METADATA } from './metadata.ts';
import { reportRefusedHandshakes } from './refused-handshakes.ts';
import { inSpan, SpanKind } from './telemetry.ts';

export interface RpcServerOptions {
  readonly config: BaseConfig;
  readonly logger: Logger;
  readonly verifyActor: ActorVerifier;
  readonly recordOutcome: RecordOutcome;
  /** Absent for services without state: idempotency keys then have no effect. */
  readonly idempotency?: IdempotencyGuard;
  /** Throws while the service must not serve, e.g. on a restored database. Operator methods still work. */
  readonly refuse?: () => void;
  /** Receives reports of refused peers. */
  readonly reportAnomaly?: ReportAnomaly;
  /** The limits of costly operations; an own instance when absent. */
  readonly costly?: CostlyWork;
}

export interface RpcServer {
  /** Registers a gRPC service. Throws when a method lacks a policy or a handler. */
  add<D extends ServiceDefinition>(definition: D, handlers: Handlers<D>): void;
  /** Starts serving; resolves to the port. */
  listen(): Promise<number>;
  /** Refuses new calls, lets running ones finish within the time, then cancels them. */
  drain(timeoutMs: number): Promise<void>;
}

const DEFAULT_DEADLINE_MS = 30_000;

/**
 * The pipeline of every call: certificate, actor token, policy, field rules, handler, answer. It records
 * denials and failures of audited methods; a handler records its success in its own transaction.
 */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  const server = new Server({
    'grpc.max_receive_message_length': 4 * 1024 * 1024,
    'grpc.max_send_message_length': 16 * 1024 * 1024,
  });
  const multiplexedMethods = new Map<string, { decode: (payload: Buffer) => object; dispatch: Dispatch }>();
  const costly = options.costly ?? createCostlyWork();
  const callStreams = createCallStreams((path) => multiplexedMethods.get(path), options.logger);
  server.addService(calls.CallsService, { open: callStreams.open });
  return {
    add: (definition, handlers) => {
      const service = Object.values(definition)[0]!.path.slice(1).split('/')[0]!;
      const problems = methodsOfService(service).flatMap((method) => {
        const problem = policyProblem(method);
        return problem ? [`${method.path} ${problem}`] : [];
      });
      if (problems.length > 0) throw new Error(`The service cannot start:\n${problems.join('\n')}`);
      const wrapped: Record<string, unknown> = {};
      for (const [name, rpc] of Object.entries(definition)) {
        const handler = (handlers as Record<string, unknown>)[name];
        if (typeof handler !== 'function')
          throw new Error(`The service cannot start: ${rpc.path} has no handler.`);
        const method = methodOf(rpc.path);
        if (method.responseStream) {
          wrapped[name] = streaming(method, handler as StreamHandler, options, costly);
          continue;
        }
        const run = unary(method, handler as UnaryHandler, codecOf(rpc), options, costly);
        wrapped[name] = unaryHandler(run);
        multiplexedMethods.set(rpc.path, {
          decode: rpc.requestDeserialize as (payload: Buffer) => object,
          dispatch: multiplexedHandler(run, rpc.responseSerialize as (value: unknown) => Buffer),
        });
      }
      server.addService(definition as never, wrapped as never);
    },
    listen: () =>
      new Promise((resolve, reject) => {
        const address = options.config.grpc.listen;
        if (!address) return reject(new Error('The configuration lacks grpc.listen.'));
        server.bindAsync(address, serverCredentials(options.config), (error, port) => {
          if (error) return reject(error);
          if (options.reportAnomaly) reportRefusedHandshakes(server, options.reportAnomaly);
          resolve(port);
        });
      }),
    drain: (timeoutMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.forceShutdown(), timeoutMs);
        callStreams.drain();
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

type UnaryHandler = (request: object, context: CallContext) => Promise<unknown>;
type StreamHandler = (request: object, context: CallContext) => AsyncIterable<unknown>;

type Outcome = { response: unknown } | { error: Partial<StatusObject> };

function codecOf(rpc: ServiceDefinition[string]): MessageCodec {
  return {
    request: rpc.requestSerialize as (message: object) => Buffer,
    response: rpc.responseSerialize as (message: unknown) => Buffer,
    decodeResponse: rpc.responseDeserialize,
  };
}

function unary(
  method: MethodInfo,
  handler: UnaryHandler,
  codec: MessageCodec,
  options: RpcServerOptions,
  costly: CostlyWork,
) {
  const guard = takesIdempotencyKey(method) ? options.idempotency : undefined;
  return (call: IncomingCall): Promise<Outcome> =>
    traced(method, call, async () => {
      const entered = await authorizeCall(method, call, options);
      if ('error' in entered) return { error: encodeServiceError(entered.error) };
      const { context } = entered;
      const handle = async (): Promise<unknown> => {
        const response = await handler(call.request, context);
        refuseUnaudited(method, context);
        return response;
      };
      const work = (): Promise<unknown> => {
        if (!isCostly(method, call.request)) return handle();
        // Each call of an audited method records its own event.
        if (method.policy!.audit) return costly.run(context, handle);
        return costly.join(context, callKey(context, codec.request(call.request)), handle);
      };
      try {
        const key = guard && text(call.metadata, METADATA.idempotencyKey);
        if (!guard || key === undefined) return { response: await work() };
        const once = guard.callOf(context, key, codec.request(call.request));
        return { response: await runOnce(work, once, { context, guard, codec, logger: options.logger }) };
      } catch (error) {
        return { error: encodeServiceError(await toErrorResponse(error, context, call.request, options)) };
      }
    });
}

function refuseUnaudited(method: MethodInfo, context: CallContext): void {
  if (method.policy!.audit && !context.audited) {
    throw new Error(`${method.path} succeeded without its audit event: the handler must record it.`);
  }
}

function unaryHandler(run: (call: IncomingCall) => Promise<Outcome>) {
  return async (call: ServerUnaryCall<object, unknown>, respond: sendUnaryData<unknown>): Promise<void> => {
    const outcome = await run(call);
    if ('error' in outcome) respond(outcome.error);
    else respond(null, outcome.response);
  };
}

function multiplexedHandler(
  run: (call: IncomingCall) => Promise<Outcome>,
  encode: (value: unknown) => Buffer,
): Dispatch {
  return async (call) => {
    const outcome = await run(call);
    return 'error' in outcome ? outcome : { response: encode(outcome.response) };
  };
}

function streaming(
  method: MethodInfo,
  handler: StreamHandler,
  options: RpcServerOptions,
  costly: CostlyWork,
) {
  return (call: ServerWritableStream<object, unknown>): void => {
    void traced(method, call, async () => {
      const entered = await authorizeCall(method, call, options);
      if ('error' in entered) return void call.emit('error', encodeServiceError(entered.error));
      const { context } = entered;
      const send = async (): Promise<void> => {
        for await (const message of handler(call.request, context)) {
          if (context.signal.aborted) return;
          // No message is sent before its audit event is recorded.
          refuseUnaudited(method, context);
          if (!call.write(message)) await drained(call, context.signal);
        }
        if (context.signal.aborted) return;
        refuseUnaudited(method, context);
        call.end();
      };
      try {
        if (isCostly(method, call.request)) {
          const { tenantId, signal } = context;
          await costly.run({ tenantId, signal, stream: true }, send);
        } else await send();
      } catch (error) {
        call.emit('error', encodeServiceError(await toErrorResponse(error, context, call.request, options)));
      }
    });
  };
}

function isCostly({ policy }: MethodInfo, request: object): boolean {
  if (!policy!.costly) return false;
  const field = policy!.costlyWhen;
  return field === '' || Boolean((request as Record<string, unknown>)[field]);
}

function callKey(context: CallContext, request: Buffer): string {
  const { actor, tenantId, method } = context;
  const { userId, sessionId, permissions, siteIds } = actor;
  return joinKey({ tenantId, userId, sessionId, permissions, siteIds, path: method.path, request });
}

function drained(call: ServerWritableStream<object, unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function traced<T>(method: MethodInfo, call: IncomingCall, work: () => Promise<T>): Promise<T> {
  return inSpan(
    method.path.slice(1),
    {
      kind: SpanKind.SERVER,
      parent: text(call.metadata, METADATA.traceparent),
      attributes: { 'rpc.system.name': 'grpc', 'rpc.method': method.path.slice(1) },
    },
    work,
  );
}

/** Runs all checks before the handler, and records a denial. */
async function authorizeCall(
  method: MethodInfo,
  call: IncomingCall,
  options: RpcServerOptions,
): Promise<{ context: CallContext } | { error: ClavigerError }> {
  const certificate = call.getAuthContext().sslPeerCertificate as PeerCertificate | undefined;
  const caller = serviceOf(certificate, options.config.environment);
  if (!caller || !mayCall(method, caller)) {
    options.logger.warn(
      { method: method.path, caller: caller ?? 'unknown' },
      'refused a call from a service that may not call this method',
    );
    options.reportAnomaly?.(refusedPeer(method, caller, certificate));
    return { error: new ClavigerError('denied', 'This service may not call this method.') };
  }
  if (!method.policy!.callers.includes('operator')) {
    try {
      options.refuse?.();
    } catch (error) {
      // No event is recorded, because the restored database must not be written to.
      if (!isClavigerError(error)) throw error;
      return { error };
    }
  }
  const actorToken = text(call.metadata, METADATA.actorToken);
  let actor: Actor | undefined;
  let context: CallContext | undefined;
  try {
    if (actorToken) actor = await options.verifyActor(actorToken);
    context = callContext(method, call, caller, actor, actorToken);
    authorize(method, actor);
    if (
      method.policy!.internal &&
      !context.hasTenant &&
      method.owner !== 'auth' &&
      method.owner !== 'cluster'
    ) {
      throw ClavigerError.invalid('', 'is required: an internal call must name its tenant');
    }
    const problems = validateMessage(method.request, call.request);
    if (problems.length > 0)
      throw new ClavigerError('invalid', 'The request is not valid.', { fields: problems });
    context.restoreIds = normalizeIds(method.request, call.request);
    return { context };
  } catch (error) {
    context ??= callContext(method, call, caller, undefined, undefined);
    return { error: await toErrorResponse(error, context, call.request, options) };
  }
}

function refusedPeer(
  method: MethodInfo,
  caller: string | undefined,
  certificate: PeerCertificate | undefined,
): Anomaly {
  if (caller)
    return {
      alert: 'internal_call_refused',
      subject: { type: 'service', id: caller },
      details: { method: method.path },
    };
  const { fingerprint, names } = describeCertificate(certificate);
  return {
    alert: 'internal_certificate_refused',
    subject: { type: 'certificate', id: fingerprint },
    details: { side: 'client', problem: 'NAMES_NO_SERVICE', names },
  };
}

/** Converts any thrown value into the error for the caller, and records the outcome of an audited method. */
async function toErrorResponse(
  error: unknown,
  context: CallContext,
  request: object,
  options: RpcServerOptions,
): Promise<ClavigerError> {
  const shown = toClavigerError(error, context, options.logger);
  const knowsTenant = context.hasTenant || context.auditTenantId !== undefined;
  if (context.method.policy!.audit && knowsTenant && !isRepetition(shown)) {
    const denied =
      shown.reason === 'denied' || shown.reason === 'step_up_required' || shown.reason === 'unauthenticated';
    // The record of a refusal shows what was asked, not the id that stands for a malformed one.
    context.restoreIds?.();
    try {
      await options.recordOutcome(context, {
        outcome: denied ? 'denied' : 'failed',
        reason: shown.code,
        request,
      });
    } catch (cause) {
      // The caller is refused either way, but the record of the refusal is lost.
      options.logger.error(
        { err: cause, requestId: context.requestId },
        'cannot write the audit event of a refusal',
      );
    }
  }
  return shown;
}

function toClavigerError(error: unknown, context: CallContext, logger: Logger): ClavigerError {
  if (isClavigerError(error)) {
    error.correlationId ??= context.requestId;
    if (error.cause)
      logger.warn({ err: error, requestId: context.requestId, code: error.code }, 'call refused');
    return error;
  }
  logger.error({ err: error, requestId: context.requestId, method: context.method.path }, 'call failed');
  if (isDiskFailure(error)) {
    return new ClavigerError('unavailable', 'A disk of this service is full or not writable.', {
      correlationId: context.requestId,
      retryAfterSeconds: 5,
    });
  }
  return new ClavigerError('internal', 'An internal error occurred.', {
    correlationId: context.requestId,
    hint: `Search the logs for the request id ${context.requestId}.`,
  });
}

/** A full, read-only or broken disk: an outage that the operator must end, not a defect of the code. */
function isDiskFailure(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(code);
}

function callContext(
  method: MethodInfo,
  call: IncomingCall,
  caller: string,
  actor: Actor | undefined,
  actorToken: string | undefined,
): CallContext {
  const abort = new AbortController();
  call.on('cancelled', () => abort.abort());
  if (call.cancelled) abort.abort();
  const tenantId =
    actor?.tenantId ?? (method.policy?.internal ? text(call.metadata, METADATA.tenantId) : undefined);
  const deadline = call.getDeadline();
  return {
    method,
    caller,
    get tenantId(): string {
      if (!tenantId) throw new Error(`${method.path} has no tenant.`);
      return tenantId;
    },
    hasTenant: tenantId !== undefined,
    get actor(): Actor {
      if (!actor) throw new ClavigerError('unauthenticated', 'This operation requires sign-in.');
      return actor;
    },
    actorIfAny: actor,
    actorToken,
    requestId: text(call.metadata, METADATA.requestId) ?? randomUUID(),
    sourceAddress: text(call.metadata, METADATA.sourceAddress) ?? '',
    signal: abort.signal,
    deadline: deadlineOf(deadline),
    audited: false,
    auditSubject: undefined,
    auditTenantId: undefined,
    auditActorId: undefined,
  };
}

function deadlineOf(deadline: Date | number): Date {
  const time = typeof deadline === 'number' ? deadline : deadline.getTime();
  return new Date(Number.isFinite(time) ? time : Date.now() + DEFAULT_DEADLINE_MS);
}

function text(metadata: IncomingCall['metadata'], key: string): string | undefined {
  const [value] = metadata.get(key);
  return value === undefined ? undefined : value.toString();
}
