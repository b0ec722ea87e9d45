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
  /** Asks clients to send no further calls, and ends each stream once its running calls are answered. */
  drain(): void;
}

const DETAILS_KEY = 'grpc-status-details-bin';
/** How long a client may take to end its half of a stream that is being drained. */
const GO_AWAY_TIMEOUT_MS = 2_000;
/** A message beyond the channel's limit would end the stream and all calls on it. */
const MAX_RESPONSE_BYTES = 15 * 1024 * 1024;

/** Serves call streams. `find` returns how to run a method, or undefined for an unknown method. */
export function createCallStreams(
  find: (path: string) => { decode: (payload: Buffer) => object; dispatch: Dispatch } | undefined,
  logger: Logger,
): CallStreams {
  const drains = new Set<() => void>();
  let draining = false;
  return {
    open: (stream) => {
      // Read once per connection: asking for the certificate is expensive.
      const auth = stream.getAuthContext();
      const writer = createFrameWriter(stream, () => {
        if (paused && !writer.full) {
          paused = false;
          stream.resume();
        }
        endWhenIdle();
      });
      const running = new Map<number, EventEmitter>();
      // The client sends no further calls: it has ended its half of the stream, or its time limit has passed.
      let complete = false;
      let ended = false;
      // While the client does not read answers, the server reads none of its calls.
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
      // Asks the client to send no further calls. Calls that it has already sent are still answered.
      const goAway = (): void => {
        writer.send(frameOf({ id: 0, cancel: true }));
        setTimeout(finish, GO_AWAY_TIMEOUT_MS).unref();
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
      // Tells the client whether this replica accepts calls.
      if (draining) goAway();
      else writer.send(frameOf({ id: 0 }));
      stream.on('data', ({ frames }: calls.CallFrames) => {
        // A call that can no longer be answered must have no effect.
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
      new ClavigerError('method_not_allowed', 'This service does not have this method.'),
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
    if (result.response.length > MAX_RESPONSE_BYTES) throw new Error('The answer exceeds the message limit.');
    answer(frame.id, { payload: result.response });
  } catch (cause) {
    // Decoding the request or encoding the answer failed: only this call fails.
    const internal = new ClavigerError('internal', 'An internal error occurred.', { cause });
    logger.error({ err: cause, method: frame.path }, 'decoding a call or encoding its answer failed');
    answer(frame.id, errorFrame(encodeServiceError(internal)));
  }
}

function errorFrame(error: Partial<StatusObject>): Partial<calls.CallFrame> {
  const [details] = error.metadata?.get(DETAILS_KEY) ?? [];
  return { statusCode: error.code ?? 2, ...(details ? { statusDetails: Buffer.from(details) } : {}) };
}
