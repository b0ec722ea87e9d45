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

/** The archive is not one that was written by us, byte for byte. */
export class LayoutProblem extends Error {
  override readonly name = 'LayoutProblem';
}

/** An archive of which every byte outside of the packed members has been compared. */
export interface Layout {
  readonly manifest: Manifest;
  readonly manifestBytes: Buffer;
  readonly signature: string;
  /** Where the packed bytes of each member begin. */
  readonly starts: ReadonlyMap<string, number>;
}

const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_SIGNATURE_BYTES = 1024;

/**
 * Reads the manifest, and compares all headers, the directory and the end with what must stand there for it.
 * So there are no further members, no bytes before, between or after, no comments, and nothing is left to be
 * read in two ways.
 *
 * @throws {LayoutProblem}
 */
export async function readLayout(handle: FileHandle): Promise<Layout> {
  const { size } = await handle.stat();
  const manifestBytes = await readStored(handle, 0, MANIFEST, MAX_MANIFEST_BYTES);
  const text = manifestBytes.toString('utf8');
  const manifest = parseManifest(text);
  // Decoding replaces what is no UTF-8: the bytes must be those of the text.
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

/** A stored member, whose size its own header tells; the header is compared as a whole afterwards. */
async function readStored(handle: FileHandle, at: number, name: string, maxBytes: number): Promise<Buffer> {
  const header = await readAt(handle, at, LOCAL_HEADER_BYTES + name.length);
  if (
    header.length < LOCAL_HEADER_BYTES + name.length ||
    header.subarray(LOCAL_HEADER_BYTES).toString('latin1') !== name
  )
    throw new LayoutProblem(`${name} does not stand where a package has it`);
  const length = header.readUInt32LE(18);
  if (length > maxBytes) throw new LayoutProblem(`${name} is too large`);
  const bytes = await readAt(handle, at + header.length, length);
  if (bytes.length < length) throw new LayoutProblem('the file was cut');
  return bytes;
}

async function compare(handle: FileHandle, at: number, expected: Buffer, what: string): Promise<void> {
  if (!(await readAt(handle, at, expected.length)).equals(expected))
    throw new LayoutProblem(`${what} is not what it must be for this manifest`);
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
