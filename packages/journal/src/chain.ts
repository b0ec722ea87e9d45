import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** A place in the chain: the number of a record and its MAC. */
export interface ChainPlace {
  readonly seq: number;
  readonly mac: Buffer;
}

/** What the first record is chained to. */
export const BEGINNING: ChainPlace = { seq: 0, mac: Buffer.alloc(32) };

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
  former: ChainPlace,
  line: string,
): (ChainPlace & { readonly payload: string }) | undefined {
  const { seq, payload, mac } = parse(line);
  if (seq !== former.seq + 1 || typeof payload !== 'string' || typeof mac !== 'string') return undefined;
  const expected = chainMac(key, former.mac, seq, payload);
  // The line as we would have written it, byte for byte: nothing beside the three fields.
  if (lineOf(seq, payload, expected) !== `${line}\n`) return undefined;
  return timingSafeEqual(expected, Buffer.from(mac, 'hex')) ? { seq, payload, mac: expected } : undefined;
}

/** The first line of a trimmed journal: the place of the last record that was removed, with a MAC of its own. */
export function baseLineOf(key: KeyObject, { seq, mac }: ChainPlace): string {
  const own = createHmac('sha256', key).update('claviger journal base v1\n').update(`${seq}\n`).update(mac);
  return `${JSON.stringify({ base: seq, former: mac.toString('hex'), mac: own.digest('hex') })}\n`;
}

/** The place after which a trimmed journal continues; undefined for a line that is no such line of ours. */
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
