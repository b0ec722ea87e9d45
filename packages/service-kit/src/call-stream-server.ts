import { EventEmitter } from 'node:events';
import type * as calls from '@claviger/contracts/cluster/v1/calls';
import { ClavigerError } from '@claviger/errors';
import { encodeServiceError } from '@claviger/errors/grpc';
import type { ServerDuplexStream, StatusObject } from '@grpc/grpc-js';
import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';
import { createFrameWriter, frameOf } from './frame-writer.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { Logger } from './logger.ts';

/** Runs one unary call through the whole pipeline. */
export type Dispatch = (
  call: IncomingCall,
) => Promise<{ response: Buffer } | { error: Partial<StatusObject> }>;

export interface CallStreams {
  readonly open: (stream: ServerDuplexStream<calls.CallFrames, calls.CallFrames>) => void;
  /** Tells callers to open no further calls here, and ends each stream once its running calls are answered. */
  drain(): void;
}

const DETAILS_KEY = 'grpc-status-details-bin';
/** How long a caller may take to end its half of a stream that goes away. */
const GO_AWAY_PATIENCE_MS = 2_000;
/** A message larger than the channel takes would end the stream, with everybody's calls. */
const MAX_RESPONSE_BYTES = 15 * 1024 * 1024;

/** The serving half of call streams. `find` gives the way of a method, or undefined for one that is not served here. */
export function createCallStreams(
  find: (path: string) => { decode: (payload: Buffer) => object; dispatch: Dispatch } | undefined,
  logger: Logger,
): CallStreams {
  const drains = new Set<() => void>();
  let draining = false;
  return {
    open: (stream) => {
      // The connection's, so the same for all its calls; asking for the certificate is not cheap.
      const auth = stream.getAuthContext();
      const writer = createFrameWriter(stream, () => {
        if (paused && !writer.full) {
          paused = false;
          stream.resume();
        }
        endWhenIdle();
      });
      const running = new Map<number, EventEmitter>();
      // Whether the caller sends no further calls: it has ended its half, or took too long to do so.
      let complete = false;
      let ended = false;
      // While the caller does not read its answers, none of its calls is read.
      let paused = false;
      const endWhenIdle = (): void => {
        if (ended || !complete || running.size > 0 || !writer.empty) return;
        ended = true;
        stream.end();
      };
      const finish = (): void => {
        complete = true;
        endWhenIdle();
      };
      // A call that is on its way already is still answered: the stream ends after the caller has heard of it.
      const goAway = (): void => {
        writer.send(frameOf({ id: 0, cancel: true }));
        setTimeout(finish, GO_AWAY_PATIENCE_MS).unref();
      };
      const answer = (id: number, values: Partial<calls.CallFrame>): void => {
        if (!running.delete(id)) return;
        writer.send(frameOf({ ...values, id }));
        if (paused || !writer.full) return;
        paused = true;
        stream.pause();
      };
      const close = (): void => {
        ended = true;
        drains.delete(goAway);
        for (const emitter of running.values()) emitter.emit('cancelled');
        running.clear();
      };
      drains.add(goAway);
      // Tells the caller that this replica takes calls.
      if (draining) goAway();
      else writer.send(frameOf({ id: 0 }));
      stream.on('data', ({ frames }: calls.CallFrames) => {
        // A call that can have no answer any more must have no effect either.
        if (ended) return;
        for (const frame of frames) {
          if (frame.cancel) running.get(frame.id)?.emit('cancelled');
          else if (!running.has(frame.id)) void run(auth, frame, running, find, answer, logger);
        }
      });
      stream.on('end', finish);
      stream.on('cancelled', close);
      stream.on('close', close);
      stream.on('error', close);
    },
    drain: () => {
      draining = true;
      for (const goAway of drains) goAway();
    },
  };
}

async function run(
  auth: AuthContext,
  frame: calls.CallFrame,
  running: Map<number, EventEmitter>,
  find: Parameters<typeof createCallStreams>[0],
  answer: (id: number, values: Partial<calls.CallFrame>) => void,
  logger: Logger,
): Promise<void> {
  const events = new EventEmitter();
  let cancelled = false;
  events.once('cancelled', () => {
    cancelled = true;
  });
  running.set(frame.id, events);
  const method = find(frame.path);
  if (!method) {
    const unknown = encodeServiceError(
      new ClavigerError('method_not_allowed', 'This service has no such method.'),
    );
    return answer(frame.id, errorFrame(unknown));
  }
  const metadata = new Map(frame.metadata.map(({ key, value }) => [key, [value]]));
  const deadline = new Date(Date.now() + frame.timeoutMs);
  try {
    const result = await method.dispatch({
      request: method.decode(frame.payload),
      metadata: { get: (key) => metadata.get(key) ?? [] },
      getAuthContext: () => auth,
      getDeadline: () => deadline,
      get cancelled() {
        return cancelled;
      },
      on: (event, listener) => events.on(event, listener),
    });
    if ('error' in result) return answer(frame.id, errorFrame(result.error));
    if (result.response.length > MAX_RESPONSE_BYTES) throw new Error('The answer is too large to be sent.');
    answer(frame.id, { payload: result.response });
  } catch (cause) {
    // A request that is no message of the method, or an answer that cannot be encoded: this call alone fails.
    const internal = new ClavigerError('internal', 'An internal error occurred.', { cause });
    logger.error(
      { err: cause, method: frame.path },
      'a call could not be decoded, or its answer not be sent',
    );
    answer(frame.id, errorFrame(encodeServiceError(internal)));
  }
}

function errorFrame(error: Partial<StatusObject>): Partial<calls.CallFrame> {
  const [details] = error.metadata?.get(DETAILS_KEY) ?? [];
  return { statusCode: error.code ?? 2, ...(details ? { statusDetails: Buffer.from(details) } : {}) };
}
