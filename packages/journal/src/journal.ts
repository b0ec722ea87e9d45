import { createSecretKey } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { baseLineOf, chainMac, lineOf } from './chain.ts';
import { readJournal } from './read-journal.ts';

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
  /**
   * Removes the records up to `seq` where the file is larger than `keepBytes`; numbers and chain continue. The file is
   * replaced as a whole: a crash leaves the old one or the new one. A broken journal is left as it is.
   *
   * @throws when the new file cannot be written; the old one then stays in use.
   */
  trim(seq: number): Promise<void>;
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

/** About 250 records. */
const KEEP_BYTES = 256 * 1024;

/**
 * Opens the file, creating it when missing, and checks its chain. One process writes to it. A broken one is opened for reading
 * what precedes the break; appending to it fails.
 *
 * @param options.key 32 bytes; who has it can write records that look like ours.
 * @param options.keepBytes up to this size `trim` removes nothing; 256 KiB when absent.
 * @throws when the file cannot be read or created.
 */
export async function openJournal(options: {
  file: string;
  key: Buffer;
  keepBytes?: number;
}): Promise<Journal> {
  const { file, keepBytes = KEEP_BYTES } = options;
  const key = createSecretKey(options.key);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  let handle = await open(file, 'a+', 0o600);
  const read = await readJournal(handle, key);
  let { last, bytes } = read;
  let problem = read.brokenAt === undefined ? undefined : brokenText(file, read.brokenAt);
  if (!problem && read.tornBytes > 0) await handle.truncate(bytes);
  const waiting: Waiting[] = [];

  /** One after the other: whatever reads or writes the file. */
  let working: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = working.then(work);
    working = turn.catch(() => {});
    return turn;
  };

  const write = async (group: readonly Waiting[]): Promise<void> => {
    let next = last;
    const text = group
      .map(({ payload }) => {
        const seq = next.seq + 1;
        next = { seq, mac: chainMac(key, next.mac, seq, payload) };
        return lineOf(seq, payload, next.mac);
      })
      .join('');
    try {
      if (!problem) await requireWhole(handle, file, bytes);
    } catch (error) {
      problem = `${file}: ${(error as Error).message}; keep it as evidence, and restart to begin with what is there`;
    }
    try {
      if (problem) throw new JournalBrokenError(problem);
      await handle.appendFile(text);
      await handle.datasync();
    } catch (cause) {
      // What was half written must not stand before what comes next.
      if (!problem) {
        await handle.truncate(bytes).catch((error: unknown) => {
          problem = `${file} could not be cut back after a failed write: ${String(error)}`;
        });
      }
      const error = new JournalUnwritableError(
        problem ?? `${file} cannot be written: make room, or mend its permissions`,
        { cause },
      );
      for (const each of group) each.reject(error);
      return;
    }
    const first = last.seq + 1;
    last = next;
    bytes += Buffer.byteLength(text);
    group.forEach((each, index) => {
      each.resolve(first + index);
    });
  };

  const trim = async (upTo: number): Promise<void> => {
    if (problem || bytes <= keepBytes) return;
    await requireWhole(handle, file, bytes);
    const { records } = await readJournal(handle, key);
    const base = records.findLast((record) => record.seq <= upTo);
    if (!base) return;
    const kept = records.filter((record) => record.seq > upTo);
    const text =
      baseLineOf(key, base) + kept.map(({ seq, payload, mac }) => lineOf(seq, payload, mac)).join('');
    const former = handle;
    handle = await replaceFile(file, text);
    bytes = Buffer.byteLength(text);
    await former.close();
    await syncFolder(dirname(file)).catch((error: unknown) => {
      // A crash could bring the former file back, without what is appended from here on.
      problem = `${file} was replaced and its folder could not be synced (${String(error)}): mend the disk, then restart`;
      throw error;
    });
  };

  return {
    append: (payload) =>
      new Promise((resolve, reject) => {
        // The first that waits writes for all that come before its turn.
        if (waiting.push({ payload, resolve, reject }) === 1) void inTurn(() => write(waiting.splice(0)));
      }),
    records: (after) =>
      inTurn(async () => {
        const { records } = await readJournal(handle, key, last.seq);
        return records.filter(({ seq }) => seq > after).map(({ seq, payload }) => ({ seq, payload }));
      }),
    trim: (upTo) => inTurn(() => trim(upTo)),
    problem: () => problem,
    [Symbol.asyncDispose]: async () => {
      await working;
      await handle.close();
    },
  };
}

/** Writes the text to a file beside it, and renames that one once it is on the disk. Returns it open for appending. */
async function replaceFile(file: string, text: string): Promise<FileHandle> {
  const besides = `${file}.new`;
  await rm(besides, { force: true });
  const handle = await open(besides, 'ax+', 0o600);
  try {
    await handle.appendFile(text);
    await handle.datasync();
    await rename(besides, file);
  } catch (error) {
    await handle.close();
    await rm(besides, { force: true });
    throw error;
  }
  return handle;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
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

const brokenText = (file: string, seq: number): string =>
  `record ${seq} of ${file} is not as it was written: keep the file as evidence, and move it away to go on`;
