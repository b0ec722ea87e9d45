import type * as calls from '@claviger/contracts/cluster/v1/calls';

/** The sending half of a call stream. */
export interface FrameSink {
  write(frames: calls.CallFrames): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Frames are sent together up to this size: the other side refuses a message beyond four MiB, and ends the stream. */
const MAX_BATCH_BYTES = 512 * 1024;

/** Sends the frames of one turn of the event loop together, and waits while the other side cannot take more. */
export function createFrameWriter(sink: FrameSink): (frame: calls.CallFrame) => void {
  const waiting: calls.CallFrame[] = [];
  let scheduled = false;
  let blocked = false;
  const flush = (): void => {
    scheduled = false;
    if (blocked || waiting.length === 0) return;
    const frames = waiting.splice(0, sendable(waiting));
    if (!sink.write({ frames })) {
      blocked = true;
      sink.once('drain', () => {
        blocked = false;
        flush();
      });
    } else if (waiting.length > 0) flush();
  };
  return (frame) => {
    waiting.push(frame);
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
}

/** How many frames fit into one message; one at least. */
function sendable(frames: readonly calls.CallFrame[]): number {
  let bytes = 0;
  for (const [index, { payload, metadata, statusDetails }] of frames.entries()) {
    bytes += payload.length + statusDetails.length + 64;
    for (const { key, value } of metadata) bytes += key.length + value.length + 8;
    if (bytes > MAX_BATCH_BYTES && index > 0) return index;
  }
  return frames.length;
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
