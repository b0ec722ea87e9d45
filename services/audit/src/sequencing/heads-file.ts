import type { KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ExportLineError, exportLines, parseSignedTreeHead, type SignedTreeHead } from '@claviger/merkle';
import type { Logger } from '@claviger/service-kit';
import { parseRestoreMark, type RestoreMark } from './restore-mark.ts';

/** Tree heads outside the database: one JSON line each, appended and synced, never rewritten. */
export interface HeadsFile extends AsyncDisposable {
  /** The newest head of the tenant in the file or in this process. */
  newest(tenantId: string): SignedTreeHead | undefined;
  /** All tenants with a head in the file. */
  tenants(): string[];
  /** Resolves after the write. On failure, `problem()` is set and the next append writes the head again. */
  append(head: SignedTreeHead): Promise<void>;
  /** Marks a restore: earlier heads no longer bind the database. Throws when the write fails. */
  appendRestoreMark(mark: RestoreMark): Promise<void>;
  /** When the last restore was finished, according to the file. */
  restoredAt(): string | undefined;
  /** Reads lines that were appended since, e.g. by other replicas. */
  refresh(): Promise<void>;
  /** The reason why the file is unreliable; undefined without a problem. */
  problem(): string | undefined;
}

const LINE_FEED = 0x0a;

/**
 * Reads the file, creating it if missing, and opens it for appending. Several replicas may append to one
 * file: each append is one write.
 *
 * @throws when the file cannot be read or created.
 */
export async function openHeadsFile(path: string, logger: Logger, publicKey: KeyObject): Promise<HeadsFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, 'a+', 0o600);
  const known: Known = { newest: new Map(), restoredAt: undefined };
  const { newest } = known;
  let broken: string | undefined;
  let at: Place = { line: 0, byte: 0 };
  const readOn = async (): Promise<void> => {
    const { size } = await handle.stat();
    let problem: string | undefined;
    if (size < at.byte) {
      problem = `${path} was truncated: it has ${size} bytes and had ${at.byte} before`;
      at = { line: 0, byte: 0 };
    }
    const read = await readHeads(path, known, at, size, publicKey);
    at = read.place;
    problem ??= read.problem;
    if (problem === undefined) return;
    broken ??= problem;
    logger.error({ path }, problem);
  };
  await readOn();
  if (!(await endsInLine(handle))) {
    // A crash during a write leaves half a line: end it, so that the next head starts a new line.
    await handle.appendFile('\n');
  }
  let failure: string | undefined;
  let unwritten: SignedTreeHead[] = [];
  let queue: Promise<void> = Promise.resolve();

  const write = async (head: SignedTreeHead): Promise<void> => {
    const heads = [...unwritten.filter((each) => each.tenantId !== head.tenantId), head];
    try {
      await handle.appendFile(heads.map((each) => `${JSON.stringify(each)}\n`).join(''));
      await handle.datasync();
      unwritten = [];
      failure = undefined;
    } catch (error) {
      unwritten = heads;
      failure = `the newest tree heads could not be written to ${path}: free disk space, or correct its permissions`;
      logger.error({ err: error, path }, failure);
    }
  };
  return {
    newest: (tenantId) => newest.get(tenantId),
    tenants: () => [...newest.keys()],
    append: (head) => {
      keepNewest(newest, head);
      queue = queue.then(() => write(head));
      return queue;
    },
    appendRestoreMark: (mark) => {
      const written = queue.then(async () => {
        await handle.appendFile(`${JSON.stringify(mark)}\n`);
        await handle.datasync();
        forget(known, mark);
        unwritten = [];
      });
      queue = written.catch(() => {});
      return written;
    },
    restoredAt: () => known.restoredAt,
    refresh: () => {
      const reading = queue.then(readOn);
      queue = reading.catch(() => {});
      return reading;
    },
    problem: () => failure ?? broken,
    [Symbol.asyncDispose]: async () => {
      await queue;
      await handle.close();
    },
  };
}

/** Content of the file. */
interface Known {
  /** By tenant id. */
  readonly newest: Map<string, SignedTreeHead>;
  restoredAt: string | undefined;
}

/** Drops all heads before a restore mark. */
function forget(known: Known, mark: RestoreMark): void {
  known.newest.clear();
  known.restoredAt = mark.restoredAt;
}

function keepNewest(newest: Map<string, SignedTreeHead>, head: SignedTreeHead): void {
  if ((newest.get(head.tenantId)?.size ?? 0) <= head.size) newest.set(head.tenantId, head);
}

/** End of the last whole line that was read. */
interface Place {
  readonly line: number;
  readonly byte: number;
}

/**
 * Reads from a position up to `size`. Returns the first problem, if any, and the new position. An incomplete
 * last line is not a problem: it comes from a crash or a write in progress, and is read again.
 */
async function readHeads(
  path: string,
  known: Known,
  from: Place,
  size: number,
  publicKey: KeyObject,
): Promise<{ problem: string | undefined; place: Place }> {
  let { line, byte } = from;
  let problem: string | undefined;
  if (byte === size) return { problem, place: from };
  try {
    for await (const text of exportLines(createReadStream(path, { start: byte, end: size - 1 }))) {
      const end = byte + Buffer.byteLength(text) + 1;
      const isWhole = end <= size;
      if (isWhole) {
        line += 1;
        byte = end;
      }
      if (text === '') continue;
      const head = parse(text);
      const mark = head === undefined ? restoreMarkOf(text, publicKey) : undefined;
      if (head !== undefined) keepNewest(known.newest, head);
      else if (mark !== undefined) forget(known, mark);
      else if (!isCutShort(text))
        problem ??= `line ${isWhole ? line : line + 1} of ${path} is not a tree head`;
    }
  } catch (error) {
    if (!(error instanceof ExportLineError)) throw error;
    problem ??= `line ${from.line + error.line} of ${path} is ${error.message}`;
    // Skip what was read: the invalid line is not read again.
    byte = size;
  }
  return { problem, place: { line, byte } };
}

function parse(text: string): SignedTreeHead | undefined {
  try {
    return parseSignedTreeHead(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function restoreMarkOf(text: string, publicKey: KeyObject): RestoreMark | undefined {
  try {
    return parseRestoreMark(JSON.parse(text), publicKey);
  } catch {
    return undefined;
  }
}

/** Whether a line is the beginning of a head or mark. */
function isCutShort(text: string): boolean {
  const begins = ['{"tenantId":"', '{"restoreEpoch":'].some((start) =>
    text.startsWith(start.slice(0, text.length)),
  );
  return begins && !text.endsWith('}');
}

async function endsInLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return true;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === LINE_FEED;
}
