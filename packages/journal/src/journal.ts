import { createSecretKey } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BEGINNING, chainMac, lineOf, readLine } from './chain.ts';

export interface JournalRecord {
  /** 1-based, without gaps. */
  readonly seq: number;
  readonly payload: string;
}

export interface Journal extends AsyncDisposable {
  /**
   * Resolves with its number when the record is on the disk. Those that wait at the same moment share one write.
   *
   * @throws {JournalUnwritableError} when it is not surely there: the disk is full, the file is gone, the chain is broken.
   */
  append(payload: string): Promise<number>;
  /** What is on the disk, in order, from the one after `seq`. */
  records(seq: number): Promise<readonly JournalRecord[]>;
  /** Why nothing can be appended; undefined when all is well. */
  problem(): string | undefined;
}

/** Somebody or something changed the file: it is evidence, and is not written to any more. */
export class JournalBrokenError extends Error {
  override readonly name = 'JournalBrokenError';
}

/** The record is not safe: whoever wanted to rely on it must not go on. */
export class JournalUnwritableError extends Error {
  override readonly name = 'JournalUnwritableError';
}

interface Waiting {
  readonly payload: string;
  resolve(seq: number): void;
  reject(error: unknown): void;
}

/**
 * Opens the file, creating it when missing, and checks its chain. One process writes to it. A broken one is opened for reading
 * what precedes the break; appending to it fails.
 *
 * @param options.key 32 bytes; who has it can write records that look like ours.
 * @throws when the file cannot be read or created.
 */
export async function openJournal(options: { file: string; key: Buffer }): Promise<Journal> {
  const key = createSecretKey(options.key);
  await mkdir(dirname(options.file), { recursive: true, mode: 0o700 });
  const handle = await open(options.file, 'a+', 0o600);
  const read = await readAll(handle, (former, line) => readLine(key, former, line));
  let problem = read.brokenAt === undefined ? undefined : brokenText(options.file, read.brokenAt);
  let { seq, mac, bytes } = read;
  if (!problem && read.tornBytes > 0) await handle.truncate(bytes);
  const waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  const write = async (group: readonly Waiting[]): Promise<void> => {
    let next = { seq, mac };
    const text = group
      .map(({ payload }) => {
        next = { seq: next.seq + 1, mac: chainMac(key, next.mac, next.seq + 1, payload) };
        return lineOf(next.seq, payload, next.mac);
      })
      .join('');
    try {
      if (!problem) await requireWhole(handle, options.file, bytes);
    } catch (error) {
      problem = `${options.file}: ${(error as Error).message}; keep it as evidence, and restart to begin with what is there`;
    }
    try {
      if (problem) throw new JournalBrokenError(problem);
      await handle.appendFile(text);
      await handle.datasync();
    } catch (cause) {
      // What was half written must not stand before what comes next.
      if (!problem) {
        await handle.truncate(bytes).catch((error: unknown) => {
          problem = `${options.file} could not be cut back after a failed write: ${String(error)}`;
        });
      }
      const error = new JournalUnwritableError(
        problem ?? `${options.file} cannot be written: make room, or mend its permissions`,
        { cause },
      );
      for (const each of group) each.reject(error);
      return;
    }
    const first = seq + 1;
    ({ seq, mac } = next);
    bytes += Buffer.byteLength(text);
    group.forEach((each, index) => {
      each.resolve(first + index);
    });
  };
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await write(waiting.splice(0));
    writing = undefined;
  };

  return {
    append: (payload) =>
      new Promise((resolve, reject) => {
        waiting.push({ payload, resolve, reject });
        writing ??= drain();
      }),
    records: async (after) => {
      await writing;
      const { records } = await readAll(handle, (former, line) => readLine(key, former, line), seq);
      return records.filter((record) => record.seq > after);
    },
    problem: () => problem,
    [Symbol.asyncDispose]: async () => {
      await writing;
      await handle.close();
    },
  };
}

/** The open file must be the one at its path, and end where we ended: nobody else has written, cut or exchanged it. */
async function requireWhole(handle: FileHandle, file: string, bytes: number): Promise<void> {
  const [mine, atPath] = await Promise.all([handle.stat(), statOf(file)]);
  if (mine.ino !== atPath.ino || mine.dev !== atPath.dev || mine.size !== bytes)
    throw new JournalBrokenError('it was changed by somebody else');
}

async function statOf(file: string) {
  const other = await open(file, 'r');
  try {
    return await other.stat();
  } finally {
    await other.close();
  }
}

interface ReadResult {
  readonly records: JournalRecord[];
  readonly seq: number;
  readonly mac: Buffer;
  /** Of the records that fit. */
  readonly bytes: number;
  /** After them, what a crash has left of one line. */
  readonly tornBytes: number;
  /** Number of the first record that does not fit. */
  readonly brokenAt: number | undefined;
}

async function readAll(
  handle: FileHandle,
  parse: (
    former: { seq: number; mac: Buffer },
    line: string,
  ) => { seq: number; payload: string; mac: Buffer } | undefined,
  upTo = Number.POSITIVE_INFINITY,
): Promise<ReadResult> {
  const { size } = await handle.stat();
  const { buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
  const records: JournalRecord[] = [];
  let former: { seq: number; mac: Buffer } = { seq: 0, mac: BEGINNING };
  let at = 0;
  while (at < size && former.seq < upTo) {
    const end = buffer.indexOf('\n', at);
    if (end === -1) return { records, ...former, bytes: at, tornBytes: size - at, brokenAt: undefined };
    const record = parse(former, buffer.toString('utf8', at, end));
    if (!record) return { records, ...former, bytes: at, tornBytes: 0, brokenAt: former.seq + 1 };
    records.push({ seq: record.seq, payload: record.payload });
    former = { seq: record.seq, mac: record.mac };
    at = end + 1;
  }
  return { records, ...former, bytes: at, tornBytes: 0, brokenAt: undefined };
}

const brokenText = (file: string, seq: number): string =>
  `record ${seq} of ${file} is not as it was written: keep the file as evidence, and move it away to go on`;
