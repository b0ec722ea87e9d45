import { createHash, type KeyObject } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { KEYS, type ManifestMember } from '../content/manifest.ts';
import { parseKeyList } from '../signed/key-list.ts';
import { inflateMember, MemberProblem } from '../zip/inflate-member.ts';
import type { Layout } from './layout.ts';

const MAX_SMALL_BYTES = 16 * 1024 * 1024;

/** Reads members of a package with a valid layout; checks each against the manifest while reading. */
export interface PackageReader {
  stream(name: string): AsyncGenerator<Buffer>;
  /** The text of a small member. */
  text(name: string): Promise<string>;
  /** Reads to the end, only to check the member. */
  check(name: string): Promise<void>;
  sha256(name: string): string;
  /** The public keys in the package. */
  keys(): Promise<KeyObject[]>;
}

/** Every method throws {MemberProblem} for a member that is missing or does not match the manifest. */
export function packageReader(handle: FileHandle, layout: Layout): PackageReader {
  const members = new Map(layout.manifest.members.map((member) => [member.name, member]));
  const member = (name: string): ManifestMember => {
    const found = members.get(name);
    if (found === undefined) throw new MemberProblem(`${name} is missing`);
    return found;
  };
  const stream = (name: string) => inflateMember(handle, layout.starts.get(name)!, member(name));
  const text = async (name: string): Promise<string> => {
    if (member(name).size > MAX_SMALL_BYTES) throw new MemberProblem(`${name} is too large`);
    const chunks: Buffer[] = [];
    for await (const chunk of stream(name)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  return {
    stream,
    text,
    check: async (name) => {
      const hash = createHash('sha256');
      for await (const chunk of stream(name)) hash.update(chunk);
    },
    sha256: (name) => member(name).sha256,
    keys: async () => {
      const keys = parseKeyList(await text(KEYS));
      if (keys === undefined) throw new MemberProblem(`${KEYS} is not a list of public keys`);
      return keys;
    },
  };
}
