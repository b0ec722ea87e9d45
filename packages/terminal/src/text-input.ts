import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { CommandError, EXIT } from './exit-codes.ts';
import { tell } from './output.ts';

const MAX_BYTES = 1024 * 1024;

export interface TextInputOptions {
  /** Default: 1 MiB. */
  readonly maxBytes?: number;
  /** For the hint: another way to store bytes that are not UTF-8. */
  readonly otherWay?: string;
}

/** Name of an input in messages. */
export const inputName = (file: string | undefined): string => file ?? 'standard input';

/**
 * Reads the bytes of a file, or of standard input if no file is given. Throws a usage error if they cannot be
 * read, if they are more than `maxBytes`, or if standard input is a terminal.
 */
export async function readBytes(file: string | undefined, maxBytes = MAX_BYTES): Promise<Buffer> {
  if (file === undefined && process.stdin.isTTY)
    throw new CommandError('standard input is a terminal: pipe the secret in, or give a file', EXIT.usage);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of (file === undefined
      ? process.stdin
      : createReadStream(file)) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw new CommandError(`${inputName(file)} holds more than ${maxBytes} bytes`, EXIT.usage);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`${inputName(file)} cannot be read: ${(cause as Error).message}`, EXIT.usage, {
      cause,
    });
  }
  return Buffer.concat(chunks);
}

/**
 * Reads text from a file, or from standard input if no file is given. Removes a byte order mark at the start
 * and says so. Throws a usage error for text that is not UTF-8 or contains NUL bytes; never replaces
 * characters.
 */
export async function readText(file: string | undefined, options: TextInputOptions = {}): Promise<string> {
  const bytes = await readBytes(file, options.maxBytes);
  const refused = (what: string, remedy: string): CommandError => {
    const otherWay = options.otherWay === undefined ? '' : `, or ${options.otherWay}`;
    return new CommandError(`${inputName(file)} ${what}: ${remedy}${otherWay}`, EXIT.usage);
  };
  const form = foreignForm(bytes);
  if (form !== undefined) throw refused(form.is, form.remedy);
  if (!isUtf8(bytes))
    throw refused(
      `is not UTF-8 (line ${wrongLine(bytes)})`,
      'convert it, from Latin-1 with `iconv -f LATIN1 -t UTF-8`',
    );
  if (bytes.includes(0)) throw refused('holds NUL bytes', 'give it as text without them');
  const text = bytes.toString('utf8');
  const content = text.replace(/^\ufeff+/, '');
  if (content !== text) tell(`${inputName(file)} begins with a byte order mark, which was dropped`);
  return content;
}

/**
 * Detects other encodings and compressed files by their first bytes, and says how to convert them to UTF-8.
 */
export function foreignForm(bytes: Buffer): { readonly is: string; readonly remedy: string } | undefined {
  const encoding = wideEncoding(bytes);
  if (encoding !== undefined)
    return {
      is: `is ${encoding}, not UTF-8`,
      remedy: `convert it with \`iconv -f ${encoding} -t UTF-8\`, in PowerShell write it with \`Set-Content -Encoding utf8\``,
    };
  const begin = bytes.toString('latin1', 0, 6);
  const packed = PACKED.find(([mark]) => begin.startsWith(mark));
  return packed && { is: `is packed with ${packed[1]}`, remedy: `unpack it with \`${packed[2]}\`` };
}

const PACKED = [
  ['\x1f\x8b', 'gzip', 'gunzip'],
  ['PK\x03\x04', 'zip', 'unzip'],
  ['\x28\xb5\x2f\xfd', 'zstd', 'unzstd'],
  ['BZh', 'bzip2', 'bunzip2'],
  ['\xfd7zXZ\0', 'xz', 'unxz'],
] as const;

/** Detects UTF-16 and UTF-32 by the byte order mark or by NUL bytes. */
function wideEncoding(bytes: Buffer): string | undefined {
  const begin = bytes.toString('hex', 0, 4);
  if (begin === 'fffe0000') return 'UTF-32LE';
  if (begin === '0000feff') return 'UTF-32BE';
  if (begin.startsWith('fffe')) return 'UTF-16LE';
  if (begin.startsWith('feff')) return 'UTF-16BE';
  if (bytes.length % 2 === 1) return undefined;
  // UTF-16 if at least half of the characters have NUL in the same one of their two bytes, and never in the
  // other.
  const nulls = [0, 0];
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) nulls[at % 2]! += 1;
  const [high, low] = nulls as [number, number];
  if (Math.min(high, low) > 0 || Math.max(high, low) < bytes.length / 4 || bytes.length === 0)
    return undefined;
  return high > 0 ? 'UTF-16BE' : 'UTF-16LE';
}

/** Number of the first line that is not UTF-8, from 1. */
function wrongLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0, end = 0; end !== bytes.length; start = end + 1, line += 1) {
    const feed = bytes.indexOf(0x0a, start);
    end = feed === -1 ? bytes.length : feed;
    if (!isUtf8(bytes.subarray(start, end))) return line;
  }
  return line;
}
