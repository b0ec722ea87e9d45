import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import type { ManifestMember } from '../content/manifest.ts';

const BLOCK_BYTES = 64 * 1024;

/** The bytes of a member do not match the manifest. */
export class MemberProblem extends Error {
  override readonly name = 'MemberProblem';
}

/**
 * Decompresses a member and checks both digests, both sizes and the checksum. A member is verified only after
 * it was read to the end.
 *
 * @throws {MemberProblem}
 */
export async function* inflateMember(
  handle: FileHandle,
  start: number,
  member: ManifestMember,
): AsyncGenerator<Buffer> {
  const packed = createHash('sha256');
  const content = createHash('sha256');
  let size = 0;
  let checksum = 0;
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      packed.update(chunk);
      done(null, chunk);
    },
  });
  const inflate = createInflateRaw();
  if (member.compressedSize > 0) {
    // An error also ends the reading of `inflate`, which reports it.
    pipeline(range(handle, start, member.compressedSize), watch, inflate).catch(() => {});
  } else {
    inflate.end();
  }
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      size += chunk.length;
      // Stop at the declared size: a small file must not expand without limit.
      if (size > member.size) throw new MemberProblem(`${member.name} unpacks to more than its size`);
      content.update(chunk);
      checksum = crc32(chunk, checksum);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof MemberProblem || !isZlibError(error)) throw error;
    throw new MemberProblem(`${member.name} cannot be unpacked`);
  } finally {
    inflate.destroy();
  }
  const wrong =
    size !== member.size ||
    checksum !== member.crc32 ||
    content.digest('hex') !== member.sha256 ||
    packed.digest('hex') !== member.compressedSha256;
  if (wrong) throw new MemberProblem(`${member.name} is not the file that the manifest names`);
}

/** Reads a part of a file without a stream, which would add listeners to the handle until it is closed. */
async function* range(handle: FileHandle, start: number, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; ) {
    const buffer = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, length - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start + at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function isZlibError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && (code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE');
}
