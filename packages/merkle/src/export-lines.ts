import { isUtf8 } from 'node:buffer';

/** The file is not valid export text. `line` counts from 1. */
export class ExportLineError extends Error {
  override readonly name = 'ExportLineError';
  readonly line: number;
  constructor(line: number, problem: string) {
    super(problem);
    this.line = line;
  }
}

const LINE_FEED = 0x0a;

/**
 * Splits a byte stream into lines at line feeds only; refuses bytes that are not UTF-8. `node:readline` does
 * not fit: it also splits at U+2028, which JSON allows inside strings, and replaces invalid UTF-8 silently.
 *
 * @throws {ExportLineError} for a line that is not UTF-8 or is longer than `maxLineBytes` (default 4 MiB).
 */
export async function* exportLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxLineBytes = 4 * 1024 * 1024 }: { maxLineBytes?: number } = {},
): AsyncGenerator<string> {
  let line = 1;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const keep = (part: Buffer): void => {
    pendingBytes += part.length;
    if (pendingBytes > maxLineBytes) throw new ExportLineError(line, `longer than ${maxLineBytes} bytes`);
    pending.push(part);
  };
  const take = (): string => {
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    if (!isUtf8(bytes)) throw new ExportLineError(line, 'not UTF-8');
    pending = [];
    pendingBytes = 0;
    line += 1;
    return bytes.toString('utf8');
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      keep(bytes.subarray(start, end));
      yield take();
      start = end + 1;
    }
    // A copy: the stream may reuse its buffer for the next chunk.
    if (start < bytes.length) keep(Buffer.from(bytes.subarray(start)));
  }
  if (pendingBytes > 0) yield take();
}
