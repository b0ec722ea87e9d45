import type * as calls from '@claviger/contracts/cluster/v1/calls';

/** The sending half of a call stream, as gRPC gives it. */
export interface FrameSink {
  /** `done` runs when the transport has taken the message over, or with the error that ended the stream. */
  write(frames: calls.CallFrames, done: (error?: Error | null) => void): unknown;
}

/** Sends frames of one stream. What the other side does not read stays here, up to a limit. */
export interface FrameWriter {
  send(frame: calls.CallFrame): void;
  /** Removes the frame of a call that has ended; false when that frame has left already. */
  withdraw(id: number): boolean;
  /** Whether 16 MiB or 10,000 frames wait, because the other side does not read. */
  readonly full: boolean;
  /** Whether nothing waits. */
  readonly empty: boolean;
}

/** Frames are sent together up to this size: the receiver refuses a message beyond four MiB and ends the stream. */
const MAX_BATCH_BYTES = 512 * 1024;
/** What has left the queue and cannot be withdrawn any more. */
const MAX_IN_FLIGHT_BYTES = 1024 * 1024;
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_QUEUED_FRAMES = 10_000;

/**
 * Sends the frames of one turn of the event loop together. At most one frame of each call waits at a time.
 *
 * @param onTaken runs each time that the transport has taken frames over.
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

/** About as many bytes as the frame has in a message; one at least. */
function sizeOf({ payload, metadata, statusDetails }: calls.CallFrame): number {
  let bytes = payload.length + statusDetails.length + 64;
  for (const { key, value } of metadata) bytes += key.length + value.length + 8;
  return bytes;
}

const EMPTY = Buffer.alloc(0);

/** A frame with nothing in it but what is given. */
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
