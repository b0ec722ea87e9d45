import { createHash, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { canonicalJson } from '@claviger/merkle';
import type { Leaf, LogProof } from './content/log-proof.ts';
import {
  KEYS,
  LEAVES,
  LOG_PROOF,
  MANIFEST,
  MANIFEST_TYP,
  type Manifest,
  manifestText,
  PACKAGE_FORMAT,
  README,
  SIGNATURE,
  SUMMARY,
} from './content/manifest.ts';
import { readmeText } from './content/readme-text.ts';
import { csvRows, jsonRows } from './content/row-file.ts';
import { type Row, type TableName, tableFiles, tableNamed } from './content/tables.ts';
import { signDetachedJws } from './signed/jws.ts';
import { keyListText } from './signed/key-list.ts';
import { membersBytes } from './zip/headers.ts';
import { createMemberWriter, type MemberWriter, type PackedMember } from './zip/member-writer.ts';
import { type ZipSource, zipBytes } from './zip/zip-stream.ts';

export type Basis = Manifest['tables'][number]['basis'];
export type PackageFacts = Pick<Manifest, 'tenantId' | 'reportId' | 'generator' | 'parameters' | 'asOf'>;

/** Accepts rows one by one. */
export interface RowSink {
  add(row: Row): Promise<void>;
  end(): Promise<void>;
}

export interface FinishedPackage {
  readonly manifest: Manifest;
  readonly sizeBytes: number;
  /** Streams the ZIP; can be called repeatedly while the folder exists. */
  bytes(): AsyncIterable<Buffer>;
}

export interface PackageBuilder extends AsyncDisposable {
  /** Starts a table; rows are added in order. */
  table(name: TableName, basis: Basis): RowSink;
  /** Starts the leaves of the range; they are added in order. */
  leaves(): { add(leaf: Leaf): Promise<void>; end(): Promise<void> };
  logProof(proof: LogProof): Promise<void>;
  /** Number of rows so far, by table. */
  counts(): ReadonlyMap<TableName, number>;
  /** Compressed bytes of the finished members so far. */
  packedBytes(): number;
  finish(
    summaryPdf: Buffer,
    key: { readonly privateKey: KeyObject; readonly publicKeys: readonly KeyObject[] },
  ): Promise<FinishedPackage>;
}

/**
 * Builds one package in a folder that the caller creates and removes. Uses constant memory. The same facts,
 * rows and key give the same bytes.
 */
export function createPackageBuilder(folder: string, facts: PackageFacts): PackageBuilder {
  const members = new Map<string, PackedMember>();
  const tables = new Map<TableName, { rows: number; basis: Basis }>();
  const open = new Set<MemberWriter>();

  const begin = (name: string) => {
    const writer = createMemberWriter(name, join(folder, `${open.size + members.size}.member`));
    open.add(writer);
    return {
      write: (text: string | Uint8Array) => writer.write(text),
      end: async () => {
        members.set(name, await writer.end());
        open.delete(writer);
      },
    };
  };
  const whole = async (name: string, content: string | Uint8Array): Promise<void> => {
    const writer = begin(name);
    await writer.write(content);
    await writer.end();
  };

  return {
    table: (name, basis) => {
      const count = { rows: 0, basis };
      tables.set(name, count);
      const files = tableFiles(name);
      const [json, csv] = [begin(files.json), begin(files.csv)];
      const [jsonText, csvText] = [jsonRows(), csvRows(tableNamed(name), facts.parameters.bom)];
      let headed = false;
      const header = async () => {
        if (!headed) await csv.write(csvText.header);
        headed = true;
      };
      return {
        add: async (row) => {
          await header();
          count.rows += 1;
          await json.write(jsonText.next(row));
          await csv.write(csvText.next(row));
        },
        end: async () => {
          await header();
          await json.write(jsonText.end());
          await json.end();
          await csv.end();
        },
      };
    },
    leaves: () => {
      const file = begin(LEAVES);
      const text = jsonRows();
      return {
        add: (leaf) => file.write(text.next(leaf)),
        end: async () => {
          await file.write(text.end());
          await file.end();
        },
      };
    },
    logProof: (proof) => whole(LOG_PROOF, canonicalJson(proof)),
    counts: () => new Map([...tables].map(([name, { rows }]) => [name, rows])),
    packedBytes: () => membersBytes([...members.values()]),
    finish: async (summaryPdf, { privateKey, publicKeys }) => {
      await whole(KEYS, keyListText(publicKeys));
      await whole(SUMMARY, summaryPdf);
      const named = [...tables].sort(([a], [b]) => (a < b ? -1 : 1));
      const unlisted: Manifest = {
        format: PACKAGE_FORMAT,
        ...facts,
        tables: named.map(([name, { rows, basis }]) => ({ name, rows, basis })),
        members: [],
      };
      await whole(README, readmeText(unlisted));
      const packed = [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      const manifest: Manifest = {
        ...unlisted,
        members: packed.map(({ name, size, sha256, crc32, compressedSize, compressedSha256 }) => ({
          name,
          size,
          sha256,
          crc32,
          compressedSize,
          compressedSha256,
        })),
      };
      const text = Buffer.from(manifestText(manifest));
      const sources: ZipSource[] = [
        storedMember(MANIFEST, text),
        storedMember(SIGNATURE, Buffer.from(signDetachedJws(MANIFEST_TYP, text, privateKey))),
        ...packed,
      ];
      return {
        manifest,
        sizeBytes: zipSize(sources),
        bytes: () => zipBytes(sources),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...open].map((writer) => writer.abandon()));
    },
  };
}

/** A member without compression, so that the verifier can read it first. */
export function storedMember(name: string, bytes: Buffer): ZipSource {
  return {
    name,
    method: 'stored',
    crc32: crc32(bytes),
    compressedSize: bytes.length,
    size: bytes.length,
    bytes,
  };
}

function zipSize(sources: readonly ZipSource[]): number {
  const directory = sources.reduce((sum, each) => sum + 46 + each.name.length, 22);
  return membersBytes(sources) + directory;
}

/** Returns the lower-case hexadecimal SHA-256 of a stream. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}
