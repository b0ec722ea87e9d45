import type { Duplex } from 'node:stream';

const HEADER_BYTES = 4;

/** Writes one message: its length, then the message as JSON. */
export function writeFrame(channel: Duplex, message: unknown): void {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(body.length);
  channel.write(Buffer.concat([header, body]));
}

/**
 * Calls back with each parsed message. On a message longer than `maxBytes` or invalid JSON, calls `onBad` and
 * stops reading. The length is checked before any byte of the message is kept.
 */
export function readFrames(
  channel: Duplex,
  maxBytes: number,
  onMessage: (message: unknown) => void,
  onBad: () => void,
): void {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  /** Length of the current message with its header; undefined while the header is incomplete. */
  let wanted: number | undefined;
  const stop = () => {
    channel.off('data', onData);
    kept = [];
    onBad();
  };
  const onData = (chunk: Buffer): void => {
    kept.push(chunk);
    keptBytes += chunk.length;
    if (keptBytes < (wanted ?? HEADER_BYTES)) return;
    let bytes = kept.length === 1 ? chunk : Buffer.concat(kept);
    for (;;) {
      wanted = bytes.length < HEADER_BYTES ? undefined : bytes.readUInt32BE(0) + HEADER_BYTES;
      if (wanted !== undefined && wanted > maxBytes) return stop();
      if (wanted === undefined || bytes.length < wanted) break;
      let message: unknown;
      try {
        message = JSON.parse(bytes.toString('utf8', HEADER_BYTES, wanted));
      } catch {
        return stop();
      }
      bytes = bytes.subarray(wanted);
      onMessage(message);
    }
    kept = bytes.length === 0 ? [] : [bytes];
    keptBytes = bytes.length;
  };
  channel.on('data', onData);
}
