import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, crc32, createDeflateRaw } from 'node:zlib';
import type { ZipMember } from './headers.ts';

/**
 * A finished member: the values of its headers, the digests of both forms, and the file with the compressed
 * bytes.
 */
export interface PackedMember extends ZipMember {
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
  /** SHA-256 of the bytes in the archive, hexadecimal. */
  readonly compressedSha256: string;
  readonly file: string;
}

export interface MemberWriter {
  write(text: string | Uint8Array): Promise<void>;
  end(): Promise<PackedMember>;
  /** Aborts: closes the file. */
  abandon(): Promise<void>;
}

const BUFFER_CHARACTERS = 64 * 1024;

/** Compresses one member into its own file in constant memory. */
export function createMemberWriter(name: string, file: string): MemberWriter {
  const content = createHash('sha256');
  const packed = createHash('sha256');
  let size = 0;
  let compressedSize = 0;
  let checksum = 0;
  // Level and strategy are part of the format: the same content must give the same bytes.
  const deflate = createDeflateRaw({ level: 6, strategy: constants.Z_DEFAULT_STRATEGY });
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      compressedSize += chunk.length;
      packed.update(chunk);
      done(null, chunk);
    },
  });
  const done = pipeline(deflate, counting, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  // write() and end() report errors; without this handler an error in between would end the process.
  done.catch(() => {});
  let pending: string[] = [];
  let pendingCharacters = 0;

  const push = async (bytes: Uint8Array): Promise<void> => {
    size += bytes.length;
    content.update(bytes);
    checksum = crc32(bytes, checksum);
    if (!deflate.write(bytes)) await Promise.race([once(deflate, 'drain'), done]);
  };
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    const bytes = Buffer.from(pending.join(''));
    pending = [];
    pendingCharacters = 0;
    await push(bytes);
  };
  return {
    write: async (text) => {
      if (typeof text !== 'string') {
        await flush();
        return push(text);
      }
      pending.push(text);
      pendingCharacters += text.length;
      if (pendingCharacters >= BUFFER_CHARACTERS) await flush();
    },
    end: async () => {
      await flush();
      deflate.end();
      await done;
      return {
        name,
        method: 'deflated',
        crc32: checksum,
        compressedSize,
        size,
        sha256: content.digest('hex'),
        compressedSha256: packed.digest('hex'),
        file,
      };
    },
    abandon: async () => {
      deflate.destroy();
      await done.catch(() => {});
    },
  };
}
