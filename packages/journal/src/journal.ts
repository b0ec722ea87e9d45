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
   * Resolves to the record's number when it is on disk. Concurrent appends share one write.
   *
   * @throws {JournalUnwritableError} when the record may not be on disk: full disk, missing file, broken
   * chain.
   */
  append(payload: string): Promise<number>;
  /** The records on disk after `seq`, in order. */
  records(seq: number): Promise<readonly JournalRecord[]>;
  /**
   * Removes records up to `seq` if the file is larger than `keepBytes`; numbers and chain continue. Replaces
   * the whole file, so that a crash leaves the old or the new one. Does not change a broken journal.
   *
   * @throws when the new file cannot be written; the old one then stays in use.
   */
  trim(seq: number): Promise<void>;
  /** Why nothing can be appended; undefined otherwise. */
  problem(): string | undefined;
}

/** The file was changed from outside. It is evidence and is no longer written to. */
export class JournalBrokenError extends Error {
  override readonly name = 'JournalBrokenError';
}

/** The record may not be on disk, so the caller must not rely on it. */
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
 * Opens or creates the file and checks its chain. Only one process may write to it. A broken journal can be
 * read up to the break, but not appended to.
 *
 * @param options.key 32 bytes; its holder can write valid records.
 * @param options.keepBytes `trim` does nothing up to this size; 256 KiB by default.
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

  /** Serializes all reads and writes of the file. */
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
      problem = `${file}: ${(error as Error).message}; keep the file as evidence, then restart to continue with it`;
    }
    try {
      if (problem) throw new JournalBrokenError(problem);
      await handle.appendFile(text);
      await handle.datasync();
    } catch (cause) {
      // A partly written record must not precede later ones.
      if (!problem) {
        await handle.truncate(bytes).catch((error: unknown) => {
          problem = `${file} cannot be truncated after a failed write: ${String(error)}`;
        });
      }
      const error = new JournalUnwritableError(
        problem ?? `${file} cannot be written: free disk space or correct its permissions`,
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
      // A crash could restore the former file, without later records.
      problem = `${file} was replaced but its folder cannot be synced (${String(error)}): repair the disk, then restart`;
      throw error;
    });
  };

  return {
    append: (payload) =>
      new Promise((resolve, reject) => {
        // The first waiting append writes all that arrive before its turn.
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

/** Writes the text to a new file beside it, syncs it and renames it. Returns it open for appending. */
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

/**
 * The open file must still be the one at its path, with the expected size: nobody else may have changed it.
 */
async function requireWhole(handle: FileHandle, file: string, bytes: number): Promise<void> {
  const [mine, atPath] = await Promise.all([handle.stat(), statOf(file)]);
  if (mine.ino !== atPath.ino || mine.dev !== atPath.dev || mine.size !== bytes)
    throw new JournalBrokenError('it was changed by another process');
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
  `record ${seq} of ${file} was changed: keep the file as evidence, and move it away to continue`;
