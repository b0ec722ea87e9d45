import { createReadStream } from 'node:fs';
import { exportLines } from '@claviger/merkle';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { foreignForm } from '@claviger/terminal/text-input';

/** What an editor or a transfer does to an exported file, none of which an export ever holds. */
export type FileChange = 'byte-order-mark' | 'carriage-returns' | 'empty-last-lines' | 'no-last-line-end';

/**
 * The lines of an exported file without their line ends. What an editor or a transfer changed at them is
 * undone and noted in `changes`: an export begins with no mark, holds no carriage return, and ends with one
 * line feed.
 *
 * A usage error for a file of another form: compressed, UTF-16, or with carriage returns for line ends.
 * Throws what reading throws, and `ExportLineError`.
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
    // Those between two lines are the verifier's business.
    for (; empty > 0; empty -= 1) yield '';
    yield text;
  }
  if (empty > 0) changes.add('empty-last-lines');
}

/** The bytes of the file, when its beginning may be that of an export. */
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
