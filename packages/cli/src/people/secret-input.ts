import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { CommandError, EXIT } from '../exit-codes.ts';

const maxBytes = 1024 * 1024;

/** Standard input to its end; a usage error when a person would have to type it unasked. */
export async function readStdin(): Promise<string> {
  if (process.stdin.isTTY)
    throw new CommandError('standard input is a terminal: pipe the secret in, or give a file', EXIT.usage);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new CommandError(`standard input holds more than ${maxBytes} bytes`, EXIT.usage);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The content of a secret's file. */
export async function readSecretFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new CommandError(`the secret cannot be read: ${cause.message}`, EXIT.usage, { cause });
  });
}

/** One trailing line end is the editor's or echo's, not the secret's. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

export interface LineOptions {
  /** Lines of nothing but white space are not taken for the answer: they come with what is pasted. */
  readonly skipEmptyLines?: boolean;
}

/** Asks on the terminal without echo. A usage error naming the other ways when there is no terminal. */
export async function askHidden(
  question: string,
  otherWay: string,
  options: LineOptions = {},
): Promise<string> {
  const input = process.stdin as ReadStream;
  if (!input.isTTY) throw new CommandError(`there is no terminal to ask at: ${otherWay}`, EXIT.usage);
  // Before the question: what is typed ahead must not be echoed either.
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

/** One line from a terminal in raw mode. An error when it is given up with Ctrl-C or Ctrl-D. */
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
