import * as calls from '@claviger/contracts/cluster/v1/calls';
import { ClavigerError } from '@claviger/errors';
import { decodeServiceError } from '@claviger/errors/grpc';
import { type Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { createFrameWriter, type FrameWriter, frameOf } from './frame-writer.ts';

/** A unary call without an answer yet. */
export interface PendingCall {
  /** Unique among the calls of one client; never 0. */
  readonly id: number;
  readonly path: string;
  readonly payload: Buffer;
  readonly metadata: readonly calls.CallMetadata[];
  readonly deadlineMs: number;
  /** A long poll: a missing answer does not mean that the replica hangs. */
  readonly waits: boolean;
  /** When it was last written to a stream, in epoch milliseconds. */
  sentAtMs: number;
  resolve(payload: Buffer): void;
  reject(error: ClavigerError): void;
}

/** The stream that carries all unary calls to one address. It is replaced when it breaks or gets too old. */
export interface CallStreamClient {
  /** Whether the replica has answered on the open stream. Only then can calls be sent. */
  readonly ready: boolean;
  /** Calls have been unanswered for 1.5 seconds without any data: a frozen process keeps its connections. */
  readonly silent: boolean;
  /** Whether the queue to the replica is full because it does not read. */
  readonly full: boolean;
  /** Number of unanswered long polls (`waits`) or of all other calls. */
  outstanding(waits: boolean): number;
  /** Requires `ready`. */
  send(call: PendingCall): void;
  /**
   * Removes a call without settling it; false when it is not here. A call that was not sent is never sent.
   */
  cancel(id: number): boolean;
  /** Whether `check` must run every 50 ms: calls are unanswered, or a stream opens or ends. */
  readonly busy: boolean;
  /**
   * Runs every 50 ms while `busy`, otherwise every 500 ms: ends calls past their deadline, and opens,
   * replaces and ends streams.
   */
  check(): void;
  /** Accepts no further calls. `idle` becomes true when the running ones are settled. */
  leave(): void;
  readonly idle: boolean;
  close(): void;
}

export interface CallStreamListener {
  /** The stream is ready for calls. */
  ready(): void;
  /** A ready stream broke, or the replica is shutting down. */
  lost(): void;
}

interface OpenStream {
  readonly stream: ClientDuplexStream<calls.CallFrames, calls.CallFrames>;
  readonly writer: FrameWriter;
  /** Keyed by call id, oldest first. */
  readonly pending: Map<number, PendingCall>;
  readonly waits: Map<number, PendingCall>;
  readonly openedAtMs: number;
  ready: boolean;
  heardAtMs: number;
}

const DETAILS_KEY = 'grpc-status-details-bin';
const REOPEN_INTERVAL_MS = 1_000;
const SILENCE_MS = 1_500;
/** Streams are replaced long before the certificate used to open them expires. */
const MAX_STREAM_AGE_MS = 30 * 60_000;

export function createCallStreamClient(client: Client, listener: CallStreamListener): CallStreamClient {
  const { open: definition } = calls.CallsService;
  const all = new Set<OpenStream>();
  let current: OpenStream | undefined;
  let silent = false;
  let leaving = false;
  let mayOpenAtMs = 0;

  const retire = (stream: OpenStream): void => {
    if (current === stream) current = undefined;
  };
  const fail = (stream: OpenStream, error: ClavigerError): void => {
    if (!all.delete(stream)) return;
    const wasReady = stream.ready;
    retire(stream);
    for (const held of [stream.pending, stream.waits]) {
      for (const call of held.values()) call.reject(error);
      held.clear();
    }
    if (wasReady && !leaving) listener.lost();
  };
  const goAway = (stream: OpenStream): void => {
    retire(stream);
    if (!leaving) listener.lost();
  };
  const open = (): void => {
    if (current || leaving || Date.now() < mayOpenAtMs) return;
    mayOpenAtMs = Date.now() + REOPEN_INTERVAL_MS;
    const stream = client.makeBidiStreamRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      // The stream waits for a connection; the replica set limits how long a call waits.
      new Metadata({ waitForReady: true }),
    );
    const made: OpenStream = {
      stream,
      writer: createFrameWriter(stream),
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
      if (current === made) silent = false;
      for (const frame of frames) {
        if (frame.id !== 0) settle(made, frame);
        else if (frame.cancel) goAway(made);
        else if (!made.ready) {
          made.ready = true;
          listener.ready();
        }
      }
    });
    stream.on('error', (error: ServiceError) => fail(made, decodeServiceError(error)));
    stream.on('end', () => fail(made, ended()));
  };
  const cancel = (id: number): boolean => {
    for (const stream of all) {
      if (!stream.pending.delete(id) && !stream.waits.delete(id)) continue;
      if (!stream.writer.withdraw(id)) stream.writer.send(frameOf({ id, cancel: true }));
      return true;
    }
    return false;
  };
  const endLateCalls = (stream: OpenStream, now: number): void => {
    for (const held of [stream.pending, stream.waits]) {
      for (const call of held.values()) {
        if (call.deadlineMs > now) continue;
        cancel(call.id);
        call.reject(tooLate());
      }
    }
  };

  open();
  return {
    get ready() {
      return current?.ready ?? false;
    },
    get silent() {
      return silent;
    },
    get full() {
      return current?.writer.full ?? false;
    },
    get idle() {
      return all.size === 0;
    },
    get busy() {
      return !current?.ready || all.size > 1 || current.pending.size + current.waits.size > 0;
    },
    outstanding: (waits) => (waits ? current?.waits.size : current?.pending.size) ?? 0,
    send: (call) => {
      const now = Date.now();
      const { id, path, payload, metadata, deadlineMs } = call;
      call.sentAtMs = now;
      (call.waits ? current!.waits : current!.pending).set(id, call);
      const timeoutMs = Math.max(0, deadlineMs - now);
      current!.writer.send(frameOf({ id, path, payload, metadata: [...metadata], timeoutMs }));
    },
    cancel,
    check: () => {
      const now = Date.now();
      if (current && now - current.openedAtMs > MAX_STREAM_AGE_MS) retire(current);
      for (const stream of all) {
        endLateCalls(stream, now);
        const idle = stream.pending.size + stream.waits.size === 0 && stream.writer.empty;
        if (stream === current || !idle) continue;
        // A stream that never connected would wait for ever.
        if (stream.ready) stream.stream.end();
        else stream.stream.cancel();
      }
      open();
      const [oldest] = current?.pending.values() ?? [];
      silent = oldest !== undefined && now - Math.max(oldest.sentAtMs, current!.heardAtMs) > SILENCE_MS;
    },
    leave: () => {
      leaving = true;
      if (current) retire(current);
    },
    close: () => {
      leaving = true;
      for (const { stream } of all) stream.cancel();
    },
  };
}

export function tooLate(): ClavigerError {
  return new ClavigerError('deadline_exceeded', 'The request took too long.', { retryAfterSeconds: 1 });
}

function ended(): ClavigerError {
  return new ClavigerError('unavailable', 'A service of the installation is shutting down.', {
    retryAfterSeconds: 1,
  });
}

function settle(stream: OpenStream, frame: calls.CallFrame): void {
  const held = stream.pending.has(frame.id) ? stream.pending : stream.waits;
  const call = held.get(frame.id);
  if (!call) return;
  held.delete(frame.id);
  if (frame.statusCode === 0) return call.resolve(frame.payload);
  const metadata = new Metadata();
  if (frame.statusDetails.length > 0) metadata.set(DETAILS_KEY, frame.statusDetails);
  const error = Object.assign(new Error('the call failed'), {
    code: frame.statusCode,
    details: '',
    metadata,
  });
  call.reject(decodeServiceError(error as ServiceError));
}
