import * as calls from '@claviger/contracts/cluster/v1/calls';
import { ClavigerError } from '@claviger/errors';
import { decodeServiceError } from '@claviger/errors/grpc';
import { type Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createFrameWriter, frameOf } from './frame-writer.ts';

export interface OutgoingCall {
  readonly path: string;
  readonly payload: Buffer;
  readonly metadata: readonly calls.CallMetadata[];
  readonly deadline: Date;
  readonly signal?: AbortSignal | undefined;
  /** It is answered when something happens: that nothing comes for a while says nothing about the other side. */
  readonly waits?: boolean | undefined;
}

/** One address of a peer, and the stream that its calls share. */
export interface CallStreamClient {
  /** Whether the other side has answered on a stream that is open now. */
  readonly ready: boolean;
  /** Calls wait and nothing has come for a while: a frozen process keeps its connections. Others are preferred. */
  readonly silent: boolean;
  /** Opens the stream if there is none; at most once a second. */
  warm(): void;
  call(call: OutgoingCall): Promise<Buffer>;
  close(): void;
}

interface Pending {
  resolve(payload: Buffer): void;
  reject(error: ClavigerError): void;
  readonly deadlineMs: number;
  sentAtMs: number;
}

interface OpenStream {
  readonly send: (frame: calls.CallFrame) => void;
  readonly pending: Map<number, Pending>;
  /** Those that wait for something to happen. */
  readonly waits: Map<number, Pending>;
  readonly openedAtMs: number;
  readonly stream: ClientDuplexStream<calls.CallFrames, calls.CallFrames>;
  ready: boolean;
  heardAtMs: number;
}

const DETAILS_KEY = 'grpc-status-details-bin';
/** Below the four MiB that a server takes in one message. */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;
const DEADLINE_CHECK_MS = 50;
const WARM_INTERVAL_MS = 1_000;
/**
 * How long a call waits for a connection that is not there, e.g. while a service restarts. It was not sent by then. Only time in which
 * this process ran counts: after it stood still, what came meanwhile is read first.
 */
const CONNECT_PATIENCE_MS = 2_000;
const SILENCE_MS = 1_500;
/** A stream is replaced long before the certificate that it was opened with expires. */
const MAX_STREAM_AGE_MS = 30 * 60_000;

export function createCallStreamClient(client: Client): CallStreamClient {
  const { open: definition } = calls.CallsService;
  let current: OpenStream | undefined;
  let ids = 0;
  let warmedAtMs = 0;
  /** Calls that no stream has taken yet: these alone can be given up without any doubt. */
  const waiting = new Map<
    number,
    { frame: calls.CallFrame; pending: Pending; waits: boolean; waitedMs: number }
  >();
  const all = new Set<OpenStream>();

  let checkedAtMs = performance.now();
  const timer = setInterval(() => {
    const now = Date.now();
    const ranMs = Math.min(performance.now() - checkedAtMs, 2 * DEADLINE_CHECK_MS);
    checkedAtMs = performance.now();
    for (const [id, call] of waiting) {
      call.waitedMs += ranMs;
      const late = call.pending.deadlineMs <= now;
      if (!late && call.waitedMs < CONNECT_PATIENCE_MS) continue;
      waiting.delete(id);
      call.pending.reject(late ? tooLate() : unreachable());
    }
    if (waiting.size > 0) opened();
    for (const stream of all) {
      for (const held of [stream.pending, stream.waits]) {
        for (const [id, pending] of held) {
          if (pending.deadlineMs > now) continue;
          held.delete(id);
          stream.send(frameOf({ id, cancel: true }));
          pending.reject(tooLate());
        }
      }
      const idle = stream.pending.size + stream.waits.size === 0;
      if (stream !== current && idle) stream.stream.end();
    }
    if (current && now - current.openedAtMs > MAX_STREAM_AGE_MS) retire(current);
  }, DEADLINE_CHECK_MS);
  timer.unref();

  const retire = (stream: OpenStream): void => {
    if (current === stream) current = undefined;
  };

  const fail = (stream: OpenStream, error: ClavigerError): void => {
    retire(stream);
    all.delete(stream);
    for (const held of [stream.pending, stream.waits]) {
      for (const pending of held.values()) pending.reject(error);
      held.clear();
    }
  };

  const take = (stream: OpenStream): void => {
    stream.ready = true;
    for (const [id, { frame, pending, waits }] of waiting) {
      pending.sentAtMs = Date.now();
      (waits ? stream.waits : stream.pending).set(id, pending);
      stream.send({ ...frame, timeoutMs: Math.max(0, pending.deadlineMs - Date.now()) });
    }
    waiting.clear();
  };

  const opened = (): OpenStream => {
    if (current) return current;
    const stream = client.makeBidiStreamRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      // Resolves into a connection when there is one; how long a call waits for that is its own affair.
      new Metadata({ waitForReady: true }),
    );
    const made: OpenStream = {
      stream,
      send: createFrameWriter(stream),
      pending: new Map(),
      waits: new Map(),
      openedAtMs: Date.now(),
      ready: false,
      heardAtMs: 0,
    };
    current = made;
    all.add(made);
    stream.on('data', ({ frames }: calls.CallFrames) => {
      made.heardAtMs = Date.now();
      for (const frame of frames) {
        if (frame.id !== 0) settle(made, frame);
        else if (frame.cancel) retire(made);
        else if (!made.ready) take(made);
      }
    });
    stream.on('error', (error: ServiceError) => fail(made, decodeServiceError(error)));
    stream.on('end', () =>
      fail(
        made,
        new ClavigerError('unavailable', 'A part of the system has ended.', { retryAfterSeconds: 1 }),
      ),
    );
    return made;
  };

  return {
    get ready() {
      return current?.ready ?? false;
    },
    get silent() {
      const [oldest] = current?.pending.values() ?? [];
      if (!current || !oldest) return false;
      return Date.now() - Math.max(oldest.sentAtMs, current.heardAtMs) > SILENCE_MS;
    },
    warm: () => {
      if (current || Date.now() - warmedAtMs < WARM_INTERVAL_MS) return;
      warmedAtMs = Date.now();
      opened();
    },
    call: ({ path, payload, metadata, deadline, signal, waits = false }) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(givenUp());
        if (payload.length > MAX_REQUEST_BYTES)
          return reject(new ClavigerError('payload_too_large', 'The request is too large.'));
        const stream = opened();
        ids = (ids % 0xffff_ffff) + 1;
        const id = ids;
        const deadlineMs = deadline.getTime();
        const onAbort = (): void => {
          if (waiting.delete(id)) return reject(givenUp());
          for (const each of all) {
            if (!each.pending.delete(id) && !each.waits.delete(id)) continue;
            each.send(frameOf({ id, cancel: true }));
            reject(givenUp());
          }
        };
        const settled = (): void => signal?.removeEventListener('abort', onAbort);
        const pending: Pending = {
          resolve: (answer) => {
            settled();
            resolve(answer);
          },
          reject: (error) => {
            settled();
            reject(error);
          },
          deadlineMs,
          sentAtMs: Date.now(),
        };
        const timeoutMs = Math.max(0, deadlineMs - Date.now());
        const frame = frameOf({ id, path, payload, metadata: [...metadata], timeoutMs });
        signal?.addEventListener('abort', onAbort, { once: true });
        if (!stream.ready) return void waiting.set(id, { frame, pending, waits, waitedMs: 0 });
        (waits ? stream.waits : stream.pending).set(id, pending);
        stream.send(frame);
      }),
    close: () => {
      clearInterval(timer);
      for (const { pending } of waiting.values()) pending.reject(unreachable());
      waiting.clear();
      for (const { stream } of all) stream.cancel();
    },
  };
}

function tooLate(): ClavigerError {
  return new ClavigerError('deadline_exceeded', 'The request took too long.', { retryAfterSeconds: 1 });
}

function unreachable(): ClavigerError {
  return new ClavigerError('unavailable', 'A part of the system cannot be reached.', {
    retryAfterSeconds: 1,
  });
}

function givenUp(): ClavigerError {
  return new ClavigerError('unavailable', 'The call was given up.');
}

function settle(stream: OpenStream, frame: calls.CallFrame): void {
  const held = stream.pending.has(frame.id) ? stream.pending : stream.waits;
  const pending = held.get(frame.id);
  if (!pending) return;
  held.delete(frame.id);
  if (frame.statusCode === 0) return pending.resolve(frame.payload);
  const metadata = new Metadata();
  if (frame.statusDetails.length > 0) metadata.set(DETAILS_KEY, frame.statusDetails);
  const error = Object.assign(new Error('the call failed'), {
    code: frame.statusCode,
    details: '',
    metadata,
  });
  pending.reject(decodeServiceError(error as ServiceError));
}
