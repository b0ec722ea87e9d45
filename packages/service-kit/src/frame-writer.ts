import type { calls } from '@claviger/contracts';

/** The sending half of a call stream. */
export interface FrameSink {
  write(frames: calls.CallFrames): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Sends the frames of one turn of the event loop together, and waits while the other side cannot take more. */
export function createFrameWriter(sink: FrameSink): (frame: calls.CallFrame) => void {
  let waiting: calls.CallFrame[] = [];
  let scheduled = false;
  let blocked = false;
  const flush = (): void => {
    scheduled = false;
    if (blocked || waiting.length === 0) return;
    const frames = waiting;
    waiting = [];
    if (sink.write({ frames })) return;
    blocked = true;
    sink.once('drain', () => {
      blocked = false;
      flush();
    });
  };
  return (frame) => {
    waiting.push(frame);
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
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
