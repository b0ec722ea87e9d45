import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** What the first record is chained to. */
export const BEGINNING = Buffer.alloc(32);

/** HMAC-SHA-256 over the former record's MAC, the number and the payload. */
export function chainMac(key: KeyObject, former: Buffer, seq: number, payload: string): Buffer {
  return createHmac('sha256', key).update(former).update(`${seq}\n`).update(payload).digest();
}

export function lineOf(seq: number, payload: string, mac: Buffer): string {
  return `${JSON.stringify({ seq, payload, mac: mac.toString('hex') })}\n`;
}

/** The payload and MAC of a line that continues the chain; undefined when it does not. */
export function readLine(
  key: KeyObject,
  former: { readonly seq: number; readonly mac: Buffer },
  line: string,
): { readonly seq: number; readonly payload: string; readonly mac: Buffer } | undefined {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof record !== 'object' || record === null) return undefined;
  const { seq, payload, mac } = record as Record<string, unknown>;
  if (seq !== former.seq + 1 || typeof payload !== 'string' || typeof mac !== 'string') return undefined;
  const expected = chainMac(key, former.mac, seq, payload);
  // The line as we would have written it, byte for byte: nothing beside the three fields.
  if (lineOf(seq, payload, expected) !== `${line}\n`) return undefined;
  return timingSafeEqual(expected, Buffer.from(mac, 'hex')) ? { seq, payload, mac: expected } : undefined;
}
