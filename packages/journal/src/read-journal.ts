import type { KeyObject } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { BEGINNING, type ChainPlace, readBaseLine, readLine } from './chain.ts';

/** A record with its position in the chain. */
export interface ChainedRecord extends ChainPlace {
  readonly payload: string;
}

export interface ReadResult {
  readonly records: readonly ChainedRecord[];
  /** Position of the last valid record; otherwise of the base or the beginning. */
  readonly last: ChainPlace;
  /** Size of the valid lines. */
  readonly bytes: number;
  /** Size of an incomplete last line, left by a crash. */
  readonly tornBytes: number;
  /** Number of the first invalid record. */
  readonly brokenAt: number | undefined;
}

/** Reads the file from its beginning and checks its chain, up to the record `upTo`. */
export async function readJournal(
  handle: FileHandle,
  key: KeyObject,
  upTo = Number.POSITIVE_INFINITY,
): Promise<ReadResult> {
  const { size } = await handle.stat();
  const { buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
  const records: ChainedRecord[] = [];
  let last = BEGINNING;
  let bytes = 0;
  while (bytes < size && last.seq < upTo) {
    const end = buffer.indexOf('\n', bytes);
    if (end === -1) return { records, last, bytes, tornBytes: size - bytes, brokenAt: undefined };
    const line = buffer.toString('utf8', bytes, end);
    const base = bytes === 0 ? readBaseLine(key, line) : undefined;
    const record = base ? undefined : readLine(key, last, line);
    if (!base && !record) return { records, last, bytes, tornBytes: 0, brokenAt: last.seq + 1 };
    if (record) records.push(record);
    last = base ?? { seq: record!.seq, mac: record!.mac };
    bytes = end + 1;
  }
  return { records, last, bytes, tornBytes: 0, brokenAt: undefined };
}
