import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  MANIFEST,
  type Manifest,
  type ManifestMember,
  parseManifest,
  SIGNATURE,
} from '../content/manifest.ts';
import { archiveTail, LOCAL_HEADER_BYTES, localHeader, type ZipMember } from '../zip/headers.ts';

/** The archive differs from what this package writes. */
export class LayoutProblem extends Error {
  override readonly name = 'LayoutProblem';
}

/** An archive in which every byte outside the compressed members was compared. */
export interface Layout {
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly signature: string;
  /** Offset of the compressed bytes of each member. */
  readonly starts: ReadonlyMap<string, number>;
}

const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_SIGNATURE_BYTES = 1024;

/**
 * Reads the manifest and compares all headers, the directory and the end with what it implies. This excludes
 * further members, bytes before, between or after members, comments, and every ambiguity.
 *
 * @throws {LayoutProblem}
 */
export async function readLayout(handle: FileHandle): Promise<Layout> {
  const { size } = await handle.stat();
  const manifestBytes = await readStored(handle, 0, MANIFEST, MAX_MANIFEST_BYTES);
  const text = manifestBytes.toString('utf8');
  const manifest = parseManifest(text);
  // Decoding replaces invalid UTF-8, so the bytes are compared with those of the text.
  if (manifest === undefined || !Buffer.from(text).equals(manifestBytes))
    throw new LayoutProblem('manifest.json is not a manifest of this format');
  const signatureAt = LOCAL_HEADER_BYTES + MANIFEST.length + manifestBytes.length;
  const signature = await readStored(handle, signatureAt, SIGNATURE, MAX_SIGNATURE_BYTES);
  const members: ZipMember[] = [
    stored(MANIFEST, manifestBytes),
    stored(SIGNATURE, signature),
    ...manifest.members.map(packed),
  ];
  if (new Set(members.map(({ name }) => name)).size !== members.length)
    throw new LayoutProblem('the manifest names a member twice');
  const starts = new Map<string, number>();
  let at = 0;
  for (const member of members) {
    await compare(handle, at, localHeader(member), `the header of ${member.name}`);
    starts.set(member.name, at + LOCAL_HEADER_BYTES + member.name.length);
    at += LOCAL_HEADER_BYTES + member.name.length + member.compressedSize;
  }
  const tail = archiveTail(members);
  await compare(handle, at, tail, 'the directory at the end');
  if (size !== at + tail.length) throw new LayoutProblem('bytes stand after the end of the archive');
  return { manifest, manifestBytes, signature: signature.toString('latin1'), starts };
}

function packed(member: ManifestMember): ZipMember {
  return { ...member, method: 'deflated' };
}

function stored(name: string, bytes: Buffer): ZipMember {
  return { name, method: 'stored', crc32: crc32(bytes), compressedSize: bytes.length, size: bytes.length };
}

/** Reads an uncompressed member, whose size is in its own header; the header is compared as a whole later. */
async function readStored(handle: FileHandle, at: number, name: string, maxBytes: number): Promise<Buffer> {
  const header = await readAt(handle, at, LOCAL_HEADER_BYTES + name.length);
  if (
    header.length < LOCAL_HEADER_BYTES + name.length ||
    header.subarray(LOCAL_HEADER_BYTES).toString('latin1') !== name
  )
    throw new LayoutProblem(`${name} is not at its place in a package`);
  const length = header.readUInt32LE(18);
  if (length > maxBytes) throw new LayoutProblem(`${name} is too large`);
  const bytes = await readAt(handle, at + header.length, length);
  if (bytes.length < length) throw new LayoutProblem('the file was cut');
  return bytes;
}

async function compare(handle: FileHandle, at: number, expected: Buffer, what: string): Promise<void> {
  if (!(await readAt(handle, at, expected.length)).equals(expected))
    throw new LayoutProblem(`${what} does not match the manifest`);
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(buffer, read, length - read, at + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
