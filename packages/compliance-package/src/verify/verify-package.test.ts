import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signTreeHead } from '@claviger/merkle';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Leaf } from '../content/log-proof.ts';
import { MANIFEST, parseManifest } from '../content/manifest.ts';
import { SECTIONS, TABLES } from '../content/tables.ts';
import { type PackageChanges, signer, testLog, writeTestPackage } from '../testing-package.ts';
import { verifyPackage } from './verify-package.ts';
import { checkTable } from './verify-table.ts';

const log = testLog(100, [10, 24, 30, 48, 60, 100]);
const trusted = { trustedKeys: [signer.publicKey] };
let folder: string;
let file: string;
let bytes: Buffer;
/** A copy, for changes of one byte. */
let changing: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-package-'));
  file = await writeTestPackage(folder, log);
  bytes = await readFile(file);
  changing = join(folder, 'changing.zip');
  await writeFile(changing, bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function verdictOf(content: Buffer) {
  const changed = join(folder, `${crypto.randomUUID()}.zip`);
  await writeFile(changed, content);
  try {
    return await verifyPackage(changed, trusted);
  } finally {
    await rm(changed);
  }
}

/** Whether the package still verifies with one byte changed; it is changed back. */
async function verifiesWith(at: number, mask: number): Promise<boolean> {
  await using handle = await open(changing, 'r+');
  await handle.write(Buffer.of(bytes[at]! ^ mask), 0, 1, at);
  const { ok } = await verifyPackage(changing, trusted);
  await handle.write(bytes, at, 1, at);
  return ok;
}

/** What is wrong with a package that the signer itself made wrongly. */
async function problemOf(changes: PackageChanges): Promise<string | null> {
  return (await verifyPackage(await writeTestPackage(folder, log, changes), trusted)).problem;
}

describe('a package as it was made', () => {
  test('verifies with only the file, and reports whose key was trusted', async () => {
    const [own, given] = [await verifyPackage(file), await verifyPackage(file, trusted)];
    expect([own.problem, own.trust]).toEqual([null, 'first-use']);
    expect(given).toMatchObject({ ok: true, trust: 'trusted-key', log: { included: 24, outsideRange: 0 } });
  });

  test('has the same bytes when it is made again', async () => {
    expect((await readFile(await writeTestPackage(folder, log))).equals(bytes)).toBe(true);
  });

  test('is an archive for other programs, too', async () => {
    expect(execFileSync('unzip', ['-t', file]).toString()).toContain('No errors detected');
    const names = execFileSync('unzip', ['-Z1', file]).toString().trim().split('\n');
    expect(names.slice(0, 3)).toEqual(['manifest.json', 'manifest.jws', 'README.txt']);
    expect(execFileSync('unzip', ['-p', file, 'summary.pdf']).subarray(0, 5).toString()).toBe('%PDF-');
    const csv = execFileSync('unzip', ['-p', file, 'tables/events.csv']).toString();
    expect(csv).toContain(`"'=HYPERLINK(""x"")"`);
    expect(JSON.parse(execFileSync('unzip', ['-p', file, 'tables/events.json']).toString())).toHaveLength(24);
  });
});

describe('with byte order marks', () => {
  const parameters = { from: '2026-03-02', to: '2026-03-02', sections: [...SECTIONS], bom: true as const };
  const member = (from: string, name: string) => execFileSync('unzip', ['-p', from, name]);

  test('a package verifies; each CSV begins with one, and is the same behind it', async () => {
    const marked = await writeTestPackage(folder, log, { facts: { parameters } });
    expect(await verifyPackage(marked, trusted)).toMatchObject({ ok: true, log: { included: 24 } });
    for (const { name } of TABLES) {
      const [json, csv] = [`tables/${name}.json`, `tables/${name}.csv`];
      expect(member(marked, json)).toEqual(member(file, json));
      expect(member(marked, csv)).toEqual(
        Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), member(file, csv)]),
      );
    }
    expect(member(marked, 'README.txt').toString()).toContain('byte order mark');
    expect(member(file, 'README.txt').toString()).not.toContain('byte order mark');
  });

  test('distinguishes a table whose mark and manifest differ from one that matches its JSON', async () => {
    const rows = (name: string) =>
      (async function* () {
        yield member(file, name);
      })();
    const sha256 = createHash('sha256').update(member(file, 'tables/keys.csv')).digest('hex');
    expect((await checkTable('keys', rows('tables/keys.json'), undefined)).csvSha256).toBe(sha256);
    expect((await checkTable('keys', rows('tables/keys.json'), true)).csvSha256).not.toBe(sha256);
  });
});

describe('after any change', () => {
  test('of one byte anywhere, no package verifies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          expect(await verifiesWith(at, mask), `byte ${at} ^ ${mask}`).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of bytes of every header, of the directory or the end, no package verifies', async () => {
    // Every second byte of them: the others are looked at by chance above, and this takes its time.
    for (const at of headerPositions(bytes).filter((_, n) => n % 2 === 0)) {
      expect(await verifiesWith(at, 0x01), `byte ${at}`).toBe(false);
    }
  });

  test('of the first, middle and last byte of any member, no package verifies', async () => {
    for (const { name, start, end } of memberSpans(bytes)) {
      for (const at of [start, Math.floor((start + end) / 2), end - 1]) {
        expect(await verifiesWith(at, 0x80), `${name} at ${at}`).toBe(false);
      }
    }
  });

  test.each([
    ['bytes after it', () => Buffer.concat([bytes, Buffer.from('x')])],
    ['bytes before it', () => Buffer.concat([Buffer.from('x'), bytes])],
    ['a comment', () => withComment(bytes)],
    ['its end cut off', () => bytes.subarray(0, -1)],
    ['nothing in it', () => Buffer.alloc(0)],
    ['another archive', () => Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1')],
  ])('with %s, none verifies', async (_, change) => {
    expect(await verdictOf(change())).toMatchObject({ ok: false });
  });
});

describe('the signer of a package', () => {
  const stranger = generateKeyPairSync('ed25519');

  test('an unknown key is trusted only with trust in the file itself', async () => {
    const forged = testLog(100, [10, 24, 30, 48, 60, 100], stranger.privateKey);
    const forgery = await writeTestPackage(folder, forged, {
      key: stranger.privateKey,
      publicKeys: [stranger.publicKey],
    });
    expect(await verifyPackage(forgery)).toMatchObject({ ok: true, trust: 'first-use' });
    expect((await verifyPackage(forgery, trusted)).problem).toContain('not a trusted key');
  });

  test('an altered event is found by its leaf', async () => {
    const event = (n: number, each: Record<string, unknown>) =>
      n === 30 ? { ...each, actorName: 'bob' } : each;
    expect(await problemOf({ event })).toContain('the text of event 30 does not belong to its leaf hash');
  });

  test('an altered leaf is found by the heads', async () => {
    const leaf = (each: Leaf) =>
      each.sequence === 30 ? { ...each, leafHash: '0'.repeat(64), text: 'outside-range' as const } : each;
    expect(await problemOf({ leaf })).toMatch(/root of the head|not proven/);
  });

  test('an event without its text is an alteration, even if the package claims a removal by retention', async () => {
    const leaf = (each: Leaf) => (each.sequence === 30 ? { ...each, text: 'removed' as Leaf['text'] } : each);
    expect(await problemOf({ leaf })).toContain('no signed retention record');
  });

  test('events of another day do not pass for those of the range', async () => {
    const facts = { parameters: { from: '2026-03-03', to: '2026-03-03', sections: ['events' as const] } };
    expect(await problemOf({ facts })).toContain('the tables do not match the sections');
  });

  test('a wrong frontier, a missing proof and a dropped head of the end are found', async () => {
    expect(await problemOf({ proof: (p) => ({ ...p, frontier: p.frontier.toReversed() }) })).not.toBeNull();
    expect(await problemOf({ proof: (p) => ({ ...p, headProofs: [] }) })).toContain('not proven');
    expect(await problemOf({ proof: (p) => ({ ...p, heads: p.heads.slice(0, 2) }) })).toContain(
      'is not covered by',
    );
  });
});

describe('against heads that were kept', () => {
  test('the same log is recognised, before, within and after the stretch', async () => {
    const verdict = await verifyPackage(file, { ...trusted, knownHeads: log.heads });
    expect(verdict).toMatchObject({ ok: true, log: { knownHeadsMatched: 6 } });
  });

  test('a rewritten log is not', async () => {
    const { keyId: _, signature: __, ...head } = log.heads[2]!;
    const other = signTreeHead({ ...head, rootHash: 'ab'.repeat(32) }, signer.privateKey);
    expect((await verifyPackage(file, { ...trusted, knownHeads: [other] })).problem).toContain('rewritten');
  });
});

function withComment(archive: Buffer): Buffer {
  const commented = Buffer.concat([archive, Buffer.from('hello')]);
  commented.writeUInt16LE(5, archive.length - 2);
  return commented;
}

/** Where the packed bytes of each member stand. */
function memberSpans(archive: Buffer): { name: string; start: number; end: number }[] {
  const spans = [];
  for (let at = 0; archive.readUInt32LE(at) === 0x04034b50; ) {
    const length = archive.readUInt16LE(at + 26);
    const name = archive.toString('latin1', at + 30, at + 30 + length);
    const start = at + 30 + length;
    const end = start + archive.readUInt32LE(at + 18);
    spans.push({ name, start, end });
    at = end;
  }
  expect(parseManifest(archive.toString('utf8', spans[0]!.start, spans[0]!.end))).toBeDefined();
  expect(spans[0]!.name).toBe(MANIFEST);
  return spans;
}

/** Every byte that belongs to no member. */
function headerPositions(archive: Buffer): number[] {
  const positions = [];
  let at = 0;
  for (const { start, end } of memberSpans(archive)) {
    for (; at < start; at += 1) positions.push(at);
    at = end;
  }
  for (; at < archive.length; at += 1) positions.push(at);
  return positions;
}
