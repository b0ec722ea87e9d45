import { createReadStream } from 'node:fs';
import { exportLines } from '@claviger/merkle';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { foreignForm } from '@claviger/terminal/text-input';

/** Changes that editors and transfers make to a file. No export contains them. */
export type FileChange = 'byte-order-mark' | 'carriage-returns' | 'empty-last-lines' | 'no-last-line-end';

/**
 * The lines of an exported file without line ends. Undoes the changes of editors and transfers and records
 * them in `changes`: an export has no byte order mark and no carriage return, and ends with one line feed.
 *
 * Throws a usage error for a compressed file, for UTF-16 and for carriage returns as line ends, errors of
 * reading, and `ExportLineError`.
 */
export async function* exportedLines(file: string, changes: Set<FileChange>): AsyncGenerator<string> {
  let first = true;
  let empty = 0;
  for await (const line of exportLines(checked(file, changes))) {
    let text = line;
    if (first && text.startsWith('\ufeff')) {
      changes.add('byte-order-mark');
      text = text.replace(/^\ufeff+/, '');
    }
    first = false;
    let end = text.length;
    while (text[end - 1] === '\r') end -= 1;
    if (end < text.length) changes.add('carriage-returns');
    text = text.slice(0, end);
    if (text === '') {
      empty += 1;
      continue;
    }
    // The verifier reports empty lines between two lines.
    for (; empty > 0; empty -= 1) yield '';
    yield text;
  }
  if (empty > 0) changes.add('empty-last-lines');
}

/** The bytes of the file, if it can begin an export. */
async function* checked(file: string, changes: Set<FileChange>): AsyncGenerator<Buffer> {
  let last: number | undefined;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    if (last === undefined) refuseForeignForm(file, chunk);
    last = chunk.at(-1);
    yield chunk;
  }
  if (last !== undefined && last !== LINE_FEED) changes.add('no-last-line-end');
}

const LINE_FEED = 0x0a;

function refuseForeignForm(file: string, begin: Buffer): void {
  const form = foreignForm(begin);
  if (form !== undefined)
    throw new CommandError(`${file} ${form.is}: ${form.remedy}, then verify it`, EXIT.usage);
  if (begin.includes(0x0d) && !begin.includes(LINE_FEED))
    throw new CommandError(
      `${file} has carriage returns alone for line ends: convert it with \`tr '\\r' '\\n'\`, then verify it`,
      EXIT.usage,
    );
}
