import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { CommandError, EXIT } from './exit-codes.ts';
import { tell } from './output.ts';
import { inputName, readText } from './text-input.ts';

/**
 * Reads one secret from a file, or from standard input if no file is given. The line end after a secret of
 * one line, which editors and `echo` add, is removed; a secret of several lines is unchanged. Throws a usage
 * error for an empty secret.
 */
export async function readSecret(file: string | undefined, otherWay?: string): Promise<string> {
  const text = await readText(file, otherWay === undefined ? {} : { otherWay });
  if (/^[\r\n]*$/.test(text))
    throw new CommandError(
      `${inputName(file)} ${text === '' ? 'is empty' : 'holds line ends only'}`,
      EXIT.usage,
    );
  const secret = withoutLineEnd(text);
  tellOfCarriageReturns(file, secret);
  return secret;
}

function withoutLineEnd(text: string): string {
  const line = text.replace(/\r?\n$/, '');
  return line.includes('\n') ? text : line;
}

/**
 * Reads secrets of one line each, without line ends. Ignores empty lines at the end. Throws a usage error for
 * more than `most` lines.
 */
export async function readSecretLines(
  file: string | undefined,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const lines = (await readText(file)).split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  if (lines.length > most)
    throw new CommandError(
      `${inputName(file)} holds ${lines.length} lines: give ${most === 1 ? 'one line' : `at most ${most} lines`}`,
      EXIT.usage,
    );
  tellOfCarriageReturns(file, lines.join('\n'));
  return lines;
}

/** Reads the only line of an input. Throws a usage error if it is empty. */
export async function readSecretLine(what: string, file?: string): Promise<string> {
  const [line = ''] = await readSecretLines(file, 1);
  if (line === '') throw new CommandError(`the ${what} is empty`, EXIT.usage);
  return line;
}

function tellOfCarriageReturns(file: string | undefined, text: string): void {
  if (/\r(?!\n)/.test(text))
    tell(`${inputName(file)} holds a carriage return that ends no line: it is kept as part of the secret`);
}

export interface LineOptions {
  /** Skips lines of white space, which come with pasted text. */
  readonly skipEmptyLines?: boolean;
}

/** Asks on the terminal without echo. Without a terminal, throws a usage error that names the other ways. */
export async function askHidden(
  question: string,
  otherWay: string,
  options: LineOptions = {},
): Promise<string> {
  const input = process.stdin as ReadStream;
  if (!input.isTTY) throw new CommandError(`there is no terminal for the question: ${otherWay}`, EXIT.usage);
  // Before the question, so that input that is typed ahead is not echoed.
  input.setRawMode(true);
  try {
    process.stderr.write(question);
    return await readLine(input, options);
  } finally {
    input.setRawMode(false);
    input.pause();
    process.stderr.write('\n');
  }
}

/** Reads one line from a terminal in raw mode. Throws an error on Ctrl-C or Ctrl-D. */
export function readLine(input: Readable, { skipEmptyLines }: LineOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let line = '';
  const onData = (chunk: string) => {
    for (const character of chunk) {
      if (character === '\r' || character === '\n') {
        if (!skipEmptyLines || line.trim() !== '') return done(() => resolve(line));
        line = '';
        continue;
      }
      if (character === '\ufffd')
        return done(() =>
          reject(
            new CommandError('the terminal sends text that is not UTF-8: set it to UTF-8, or give a file'),
          ),
        );
      if (character === '\u0003' || character === '\u0004')
        return done(() => reject(new CommandError('nothing was entered: nothing was done')));
      if (character === '\u007f' || character === '\b') line = [...line].slice(0, -1).join('');
      else if (character === '\u0015') line = '';
      else line += character;
    }
  };
  const done = (finish: () => void) => {
    input.off('data', onData);
    finish();
  };
  input.setEncoding('utf8').on('data', onData).resume();
  return promise;
}
