import type { MessageLength } from '../network/guard-stream.ts';

/** A packet of MySQL's protocol: three bytes of length, lowest first, and a sequence number. */
export const packetLength: MessageLength = (bytes, at) =>
  bytes.length - at < 4 ? undefined : bytes.readUIntLE(at, 3) + 4;
