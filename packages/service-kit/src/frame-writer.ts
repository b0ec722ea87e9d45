import type * as calls from '@claviger/contracts/cluster/v1/calls';

/** The sending half of a gRPC call stream. */
export interface FrameSink {
  /** `done` runs when the transport has taken the message, or with the error that ended the stream. */
  write(frames: calls.CallFrames, done: (error?: Error | null) => void): unknown;
}

/** Writes frames to one stream and queues what the peer does not read, up to a limit. */
export interface FrameWriter {
  send(frame: calls.CallFrame): void;
  /** Removes the queued frame of a call; false when it was already sent. */
  withdraw(id: number): boolean;
  /** Whether 16 MiB or 10,000 frames are queued because the peer does not read. */
  readonly full: boolean;
  /** Whether the queue is empty. */
  readonly empty: boolean;
}

/** Maximum size of a batch of frames. The receiver rejects messages above 4 MiB and ends the stream. */
const MAX_BATCH_BYTES = 512 * 1024;
/** Bytes that have left the queue and cannot be withdrawn. */
const MAX_IN_FLIGHT_BYTES = 1024 * 1024;
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_QUEUED_FRAMES = 10_000;

/**
 * Sends the frames of one turn of the event loop together. At most one frame per call is queued.
 *
 * @param onTaken runs whenever the transport has taken frames.
 */
export function createFrameWriter(sink: FrameSink, onTaken?: () => void): FrameWriter {
  const queue = new Map<number, { readonly frame: calls.CallFrame; readonly bytes: number }>();
  let queuedBytes = 0;
  let inFlightBytes = 0;
  let scheduled = false;

  const nextBatch = (): { frames: calls.CallFrame[]; bytes: number } => {
    const frames: calls.CallFrame[] = [];
    let bytes = 0;
    for (const [id, next] of queue) {
      if (frames.length > 0 && bytes + next.bytes > MAX_BATCH_BYTES) break;
      queue.delete(id);
      frames.push(next.frame);
      bytes += next.bytes;
    }
    queuedBytes -= bytes;
    return { frames, bytes };
  };
  const flush = (): void => {
    scheduled = false;
    while (queue.size > 0 && inFlightBytes < MAX_IN_FLIGHT_BYTES) {
      const { frames, bytes } = nextBatch();
      inFlightBytes += bytes;
      sink.write({ frames }, () => {
        inFlightBytes -= bytes;
        if (queue.size > 0) schedule();
        onTaken?.();
      });
    }
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
  const withdraw = (id: number): boolean => {
    const found = queue.get(id);
    if (!found) return false;
    queue.delete(id);
    queuedBytes -= found.bytes;
    return true;
  };

  return {
    send: (frame) => {
      const bytes = sizeOf(frame);
      withdraw(frame.id);
      queue.set(frame.id, { frame, bytes });
      queuedBytes += bytes;
      schedule();
    },
    withdraw,
    get full() {
      return queuedBytes >= MAX_QUEUED_BYTES || queue.size >= MAX_QUEUED_FRAMES;
    },
    get empty() {
      return queue.size === 0;
    },
  };
}

/** Approximate encoded size in bytes; at least 1. */
function sizeOf({ payload, metadata, statusDetails }: calls.CallFrame): number {
  let bytes = payload.length + statusDetails.length + 64;
  for (const { key, value } of metadata) bytes += key.length + value.length + 8;
  return bytes;
}

const EMPTY = Buffer.alloc(0);

/** A frame with empty values for all fields that are not given. */
export function frameOf(values: Partial<calls.CallFrame> & { id: number }): calls.CallFrame {
  return {
    path: '',
    payload: EMPTY,
    metadata: [],
    timeoutMs: 0,
    cancel: false,
    statusCode: 0,
    statusDetails: EMPTY,
    ...values,
  };
}
