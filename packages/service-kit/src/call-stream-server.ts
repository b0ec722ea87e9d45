import { EventEmitter } from 'node:events';
import type { calls } from '@claviger/contracts';
import { ClavigerError, encodeServiceError } from '@claviger/errors';
import type { ServerDuplexStream, StatusObject } from '@grpc/grpc-js';
import { createFrameWriter, frameOf } from './frame-writer.ts';
import type { IncomingCall } from './incoming-call.ts';

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

/** The serving half of call streams. `find` gives the way of a method, or undefined for one that is not served here. */
export function createCallStreams(
  find: (path: string) => { decode: (payload: Buffer) => object; dispatch: Dispatch } | undefined,
): CallStreams {
  const drains = new Set<() => void>();
  let draining = false;
  return {
    open: (stream) => {
      const send = createFrameWriter(stream);
      const running = new Map<number, EventEmitter>();
      let goingAway = false;
      const endWhenIdle = (): void => {
        // After the frames that this turn still sends.
        if (goingAway && running.size === 0) setImmediate(() => setImmediate(() => stream.end()));
      };
      const goAway = (): void => {
        goingAway = true;
        send(frameOf({ id: 0, cancel: true }));
        endWhenIdle();
      };
      const answer = (id: number, values: Partial<calls.CallFrame>): void => {
        if (!running.delete(id)) return;
        send(frameOf({ ...values, id }));
        endWhenIdle();
      };
      const close = (): void => {
        drains.delete(goAway);
        for (const emitter of running.values()) emitter.emit('cancelled');
        running.clear();
      };
      drains.add(goAway);
      // Tells the caller that this replica is there: until then it prefers others.
      send(frameOf({ id: 0 }));
      if (draining) goAway();
      stream.on('data', ({ frames }: calls.CallFrames) => {
        for (const frame of frames) {
          if (frame.cancel) running.get(frame.id)?.emit('cancelled');
          else if (!running.has(frame.id)) void run(stream, frame, running, find, answer);
        }
      });
      stream.on('end', () => {
        goingAway = true;
        endWhenIdle();
      });
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
  stream: ServerDuplexStream<calls.CallFrames, calls.CallFrames>,
  frame: calls.CallFrame,
  running: Map<number, EventEmitter>,
  find: Parameters<typeof createCallStreams>[0],
  answer: (id: number, values: Partial<calls.CallFrame>) => void,
): Promise<void> {
  const events = new EventEmitter();
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
  const result = await method.dispatch({
    request: method.decode(frame.payload),
    metadata: { get: (key) => metadata.get(key) ?? [] },
    getAuthContext: () => stream.getAuthContext(),
    getDeadline: () => deadline,
    on: (event, listener) => events.on(event, listener),
  });
  answer(frame.id, 'response' in result ? { payload: result.response } : errorFrame(result.error));
}

function errorFrame(error: Partial<StatusObject>): Partial<calls.CallFrame> {
  const [details] = error.metadata?.get(DETAILS_KEY) ?? [];
  return { statusCode: error.code ?? 2, ...(details ? { statusDetails: Buffer.from(details) } : {}) };
}
