import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** A position in the chain: number and MAC of a record. */
export interface ChainPlace {
  readonly seq: number;
  readonly mac: Buffer;
}

/** The predecessor of the first record. */
export const BEGINNING: ChainPlace = { seq: 0, mac: Buffer.alloc(32) };

/** HMAC-SHA-256 over the previous record's MAC, the number and the payload. */
export function chainMac(key: KeyObject, former: Buffer, seq: number, payload: string): Buffer {
  return createHmac('sha256', key).update(former).update(`${seq}\n`).update(payload).digest();
}

export function lineOf(seq: number, payload: string, mac: Buffer): string {
  return `${JSON.stringify({ seq, payload, mac: mac.toString('hex') })}\n`;
}

/** Payload and MAC of a line that continues the chain; undefined for any other line. */
export function readLine(
  key: KeyObject,
  former: ChainPlace,
  line: string,
): (ChainPlace & { readonly payload: string }) | undefined {
  const { seq, payload, mac } = parse(line);
  if (seq !== former.seq + 1 || typeof payload !== 'string' || typeof mac !== 'string') return undefined;
  const expected = chainMac(key, former.mac, seq, payload);
  // Compares the whole line byte by byte, so that it contains nothing except the three fields.
  if (lineOf(seq, payload, expected) !== `${line}\n`) return undefined;
  return timingSafeEqual(expected, Buffer.from(mac, 'hex')) ? { seq, payload, mac: expected } : undefined;
}

/** The first line of a trimmed journal: the position of the last removed record, with its own MAC. */
export function baseLineOf(key: KeyObject, { seq, mac }: ChainPlace): string {
  const own = createHmac('sha256', key).update('claviger journal base v1\n').update(`${seq}\n`).update(mac);
  return `${JSON.stringify({ base: seq, former: mac.toString('hex'), mac: own.digest('hex') })}\n`;
}

/** The position after which a trimmed journal continues; undefined for any other line. */
export function readBaseLine(key: KeyObject, line: string): ChainPlace | undefined {
  const { base, former } = parse(line);
  if (typeof base !== 'number' || typeof former !== 'string') return undefined;
  const place = { seq: base, mac: Buffer.from(former, 'hex') };
  const expected = Buffer.from(baseLineOf(key, place));
  const given = Buffer.from(`${line}\n`);
  return expected.length === given.length && timingSafeEqual(expected, given) ? place : undefined;
}

function parse(line: string): Record<string, unknown> {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
