import type { Socket } from 'node:net';

/**
 * Calls `onMessage` with each whole message that a client sends; `lengthAt` says how long one is, from its
 * first bytes.
 */
export function readMessages(
  socket: Socket,
  lengthAt: (bytes: Buffer) => number | undefined,
  onMessage: (message: Buffer) => void,
): void {
  let kept: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    for (;;) {
      const length = lengthAt(kept);
      if (length === undefined || kept.length < length) return;
      const message = kept.subarray(0, length);
      kept = kept.subarray(length);
      onMessage(message);
    }
  });
}
