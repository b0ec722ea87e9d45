/** The variable parts of a member's headers. All else is the same in every package. */
export interface ZipMember {
  /** ASCII, relative, with slashes. */
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  readonly crc32: number;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Uncompressed size in bytes. */
  readonly size: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const VERSION = 20;
// "Made on Unix", so that the permissions below apply.
const MADE_BY = (3 << 8) | VERSION;
// A package must not depend on the clock: all members have the earliest time of ZIP, 1980-01-01.
const TIME = 0;
const DATE = (1 << 5) | 1;
// A plain file, readable for all, writable for its owner.
const ATTRIBUTES = (0o100644 << 16) >>> 0;
/** The limit without the 64-bit extension, which no package needs. */
export const MAX_ZIP_BYTES = 0xffff_ffff;
export const LOCAL_HEADER_BYTES = 30;

/** The header before the bytes of a member. */
export function localHeader(member: ZipMember): Buffer {
  const name = Buffer.from(member.name, 'ascii');
  const header = Buffer.alloc(LOCAL_HEADER_BYTES);
  header.writeUInt32LE(LOCAL, 0);
  header.writeUInt16LE(VERSION, 4);
  common(header, member, 6);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
}

/** The central directory entry of a member whose local header is at `offset`. */
export function centralHeader(member: ZipMember, offset: number): Buffer {
  const name = Buffer.from(member.name, 'ascii');
  const header = Buffer.alloc(46);
  header.writeUInt32LE(CENTRAL, 0);
  header.writeUInt16LE(MADE_BY, 4);
  header.writeUInt16LE(VERSION, 6);
  common(header, member, 8);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(ATTRIBUTES, 38);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, name]);
}

/** The record at the end of the archive, without a comment. */
export function endRecord(members: number, directoryOffset: number, directoryBytes: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(END, 0);
  record.writeUInt16LE(members, 8);
  record.writeUInt16LE(members, 10);
  record.writeUInt32LE(directoryBytes, 12);
  record.writeUInt32LE(directoryOffset, 16);
  return record;
}

/** The directory and the end record for members that follow each other from the first byte. */
export function archiveTail(members: readonly ZipMember[]): Buffer {
  const entries: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    entries.push(centralHeader(member, offset));
    offset += LOCAL_HEADER_BYTES + member.name.length + member.compressedSize;
  }
  const directory = Buffer.concat(entries);
  return Buffer.concat([directory, endRecord(members.length, offset, directory.length)]);
}

/** Offset of the directory, which is the end of the members. */
export function membersBytes(members: readonly ZipMember[]): number {
  return members.reduce((sum, each) => sum + LOCAL_HEADER_BYTES + each.name.length + each.compressedSize, 0);
}

/** Flags, method, time, checksum and sizes: the same order in both headers. */
function common(header: Buffer, member: ZipMember, at: number): void {
  header.writeUInt16LE(0, at);
  header.writeUInt16LE(member.method === 'deflated' ? 8 : 0, at + 2);
  header.writeUInt16LE(TIME, at + 4);
  header.writeUInt16LE(DATE, at + 6);
  header.writeUInt32LE(member.crc32, at + 8);
  header.writeUInt32LE(member.compressedSize, at + 12);
  header.writeUInt32LE(member.size, at + 16);
}
