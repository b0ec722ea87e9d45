/** Tag, length, value. */
export function ber(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([Buffer.from([tag, 0x84]), length, body]);
}

/** A message with this id, as it was encoded. */
export const answer = (id: Buffer, operation: Buffer, ...controls: Buffer[]) =>
  ber(0x30, id, operation, ...controls);
const code = (value: number) => ber(0x0a, Buffer.from([value]));
/** A result code with the message of the server. */
export const outcome = (tag: number, result: number, diagnostic: Buffer | string = '') =>
  ber(tag, code(result), ber(0x04, ''), ber(0x04, diagnostic));
export const attribute = (name: string, values: readonly (Buffer | string)[]) =>
  ber(0x30, ber(0x04, name), ber(0x31, ...values.map((value) => ber(0x04, value))));
/** The length of the message that begins here; undefined while too few bytes have arrived. */
export function lengthAt(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return first + 2;
  const count = first & 0x7f;
  return bytes.length < 2 + count ? undefined : bytes.readUIntBE(2, count) + 2 + count;
}

export interface BerNode {
  readonly tag: number;
  /** The bytes of a primitive value; for a constructed one, the bytes of its parts. */
  readonly bytes: Buffer;
  readonly parts: readonly BerNode[];
}

/** Parses complete, well-formed messages. */
export function readBer(bytes: Buffer): BerNode[] {
  const nodes: BerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + (lengthAt(bytes.subarray(at)) ?? bytes.length);
    const first = bytes[at + 1] ?? 0;
    const content = bytes.subarray(at + 2 + (first < 0x80 ? 0 : first & 0x7f), end);
    const tag = bytes[at] ?? 0;
    nodes.push({ tag, bytes: content, parts: (tag & 0x20) === 0 ? [] : readBer(content) });
    at = end;
  }
  return nodes;
}
