import { createReadStream } from 'node:fs';
import { archiveTail, localHeader, MAX_ZIP_BYTES, membersBytes, type ZipMember } from './headers.ts';

/** A member with its compressed bytes, in a file or in memory. */
export type ZipSource = ZipMember & ({ readonly file: string } | { readonly bytes: Buffer });

/** Streams the archive of these members in this order. The same members give the same bytes. */
export async function* zipBytes(members: readonly ZipSource[]): AsyncGenerator<Buffer> {
  if (membersBytes(members) > MAX_ZIP_BYTES) throw new RangeError('a package has at most 4 GiB');
  for (const member of members) {
    yield localHeader(member);
    if ('bytes' in member) yield member.bytes;
    else yield* createReadStream(member.file) as AsyncIterable<Buffer>;
  }
  yield archiveTail(members);
}
