import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { exportEventLine, exportHeaderLine, exportTrailerLine } from './export-format.ts';
import { exportLines } from './export-lines.ts';
import { appendLeaves, EMPTY_FRONTIER } from './frontier.ts';
import { emptyRoot, leafHash } from './hashes.ts';
import { type SignedTreeHead, signTreeHead } from './tree-head.ts';
import { type ExportVerdict, type VerifyExportOptions, verifyExport } from './verify-export.ts';

const signer = generateKeyPairSync('ed25519');
const intruder = generateKeyPairSync('ed25519');
const TENANT = 'a3c5';

const eventText = (seq: number): string =>
  canonicalJson({
    seq,
    action: 'vault.entry.retrieve',
    actor: `user-${seq}`,
    reason: 'Störung €',
  });
const texts = (count: number): string[] => Array.from({ length: count }, (_, seq) => eventText(seq));

function headOf(
  entries: readonly string[],
  key: KeyObject = signer.privateKey,
  tenantId = TENANT,
): SignedTreeHead {
  const { root } = appendLeaves(EMPTY_FRONTIER, entries.map(leafHash));
  return signTreeHead(
    {
      tenantId,
      size: entries.length,
      rootHash: root.toString('hex'),
      timestamp: '2026-03-01T12:00:00.000Z',
      previousRootHash: emptyRoot().toString('hex'),
    },
    key,
  );
}

/** An export as the audit service writes it; `hashes` are the stored leaf hashes. */
function exportOf(
  entries: readonly string[],
  {
    pair = signer,
    head = headOf(entries, pair.privateKey),
    hashes = entries.map(leafHash),
    exportedAt = '2026-03-01T12:00:01.000Z',
  } = {},
): string[] {
  return [
    exportHeaderLine({
      treeHead: head,
      publicKeys: [pair.publicKey],
      exportedAt,
    }),
    ...entries.map((canonical, seq) => exportEventLine({ seq, leafHash: hashes[seq]!, canonical })),
    exportTrailerLine(entries.length),
  ];
}

const trusted = { trustedKeys: [signer.publicKey] };
const verify = (lines: Iterable<string>, options: VerifyExportOptions = trusted): Promise<ExportVerdict> =>
  verifyExport(lines, options);
const complaints = (verdict: ExportVerdict): string =>
  verdict.problems.map(({ problem }) => problem).join('\n');
async function* bytesOf(text: string | Buffer, chunkBytes = 7): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

describe('an untouched export', () => {
  test('verifies, for any size, with all earlier heads', async () => {
    for (const size of [0, 1, 2, 3, 7, 8, 33]) {
      const knownHeads = Array.from({ length: size + 1 }, (_, n) => headOf(texts(n)));
      expect(await verify(exportOf(texts(size)), { ...trusted, knownHeads })).toEqual({
        ok: true,
        tenantId: TENANT,
        events: size,
        treeSize: size,
        treeHead: headOf(texts(size)),
        trust: 'trusted-key',
        knownHeadsMatched: size + 1,
        unfitHeads: [],
        problems: [],
        problemsOmitted: 0,
      });
    }
  });

  test('verifies as a byte stream split anywhere, with or without a line feed at the end', async () => {
    const file = exportOf(texts(5)).join('\n');
    for (const chunkBytes of [1, 7, 64, 1e6])
      for (const text of [file, `${file}\n`])
        expect((await verifyExport(exportLines(bytesOf(text, chunkBytes)), trusted)).problems).toEqual([]);
  });
});

test('a text with the line separators of Unicode verifies, and is one line for every reader', async () => {
  const lines = exportOf([canonicalJson({ reason: 'Zeile 1\u2028Zeile 2\u2029' })]);
  expect(lines.join('')).not.toMatch(/[\u2028\u2029]/);
  expect((await verify(lines)).ok).toBe(true);
});

describe('trust', () => {
  test('is not taken from the file', async () => {
    const verdict = await verify(exportOf(texts(3)), {});
    expect(verdict).toMatchObject({ ok: false, trust: 'none' });
    expect(complaints(verdict)).toContain('not trusted');
  });

  test('on first use must be requested, and is visible in the result', async () => {
    expect(await verify(exportOf(texts(3)), { trustOnFirstUse: true })).toMatchObject({
      ok: true,
      trust: 'first-use',
    });
  });

  test('on first use does not replace given keys', async () => {
    const forged = exportOf(texts(3), { pair: intruder });
    const verdict = await verify(forged, { ...trusted, trustOnFirstUse: true });
    expect(verdict).toMatchObject({ ok: false, trust: 'none' });
  });

  test('a log signed anew with another key is found', async () => {
    const forged = exportOf(['{"forged":true}'], { pair: intruder });
    expect(complaints(await verify(forged))).toContain('signed by a key that is not trusted');
    // On first use, only a head kept outside the server detects it.
    const knownHeads = [headOf(texts(1))];
    expect((await verify(forged, { trustOnFirstUse: true, knownHeads })).ok).toBe(false);
  });

  test('a head of another key under the trusted key id is found', async () => {
    const head = { ...headOf(texts(2), intruder.privateKey), keyId: headOf(texts(2)).keyId };
    expect(complaints(await verify(exportOf(texts(2), { head })))).toContain('wrong signature');
  });
});

describe('tampering is found', () => {
  const SIZE = 12;
  const original = exportOf(texts(SIZE));
  const editEvent = (seq: number, edit: object): string[] =>
    original.with(seq + 1, JSON.stringify({ ...JSON.parse(original[seq + 1]!), ...edit }));

  test('an altered text is named with its line and seq', async () => {
    for (let seq = 0; seq < SIZE; seq++) {
      const verdict = await verify(editEvent(seq, { canonical: eventText(seq).replace('user', 'root') }));
      expect(verdict.problems).toEqual([
        { line: seq + 2, seq, problem: 'has a text that does not belong to its leaf hash' },
      ]);
    }
  });

  test('a text altered together with its leaf hash is located between two heads', async () => {
    const forged = eventText(7).replace('user', 'root');
    const lines = editEvent(7, { canonical: forged, leafHash: leafHash(forged).toString('hex') });
    const verdict = await verify(lines, { ...trusted, knownHeads: [headOf(texts(6)), headOf(texts(9))] });
    expect(verdict.knownHeadsMatched).toBe(1);
    expect(verdict.problems[0]).toMatchObject({
      line: 10,
      problem: expect.stringContaining('from seq 6 to 8'),
    });
  });

  test('a removed text is an alteration, although its leaf hash is still in its place', async () => {
    for (let seq = 0; seq < SIZE; seq++) {
      const verdict = await verify(editEvent(seq, { canonical: null }), {
        ...trusted,
        knownHeads: [headOf(texts(SIZE))],
      });
      expect(verdict).toMatchObject({ ok: false, events: SIZE, knownHeadsMatched: 1 });
      expect(verdict.problems).toEqual([
        { line: seq + 2, seq, problem: expect.stringContaining('no signed retention record') },
      ]);
    }
  });

  test('a text removed together with its leaf hash', async () => {
    const verdict = await verify(editEvent(3, { canonical: null, leafHash: '00'.repeat(32) }));
    expect(complaints(verdict)).toMatch(/no signed retention record(.|\n)*do not have the root/);
  });

  test('a removed text with an unsigned mark of retention', async () => {
    const lines = editEvent(3, { canonical: null, removedBy: 'retention' });
    expect(complaints(await verify(lines))).toContain('unknown field');
  });

  test('a deleted event at any place, even with adapted seq and count', async () => {
    for (let seq = 0; seq < SIZE; seq++) {
      const verdict = await verify(original.toSpliced(seq + 1, 1));
      expect(verdict.ok).toBe(false);
      if (seq < SIZE - 1) expect(verdict.problems[0]).toMatchObject({ line: seq + 2, seq: seq + 1 });
      const fitted = exportOf(texts(SIZE).toSpliced(seq, 1), { head: headOf(texts(SIZE)) });
      expect(complaints(await verify(fitted))).toContain('the tail was cut');
    }
  });

  test('an inserted event at any place, even with adapted seq and count', async () => {
    for (let seq = 0; seq <= SIZE; seq++) {
      const inserted = exportOf(texts(SIZE).toSpliced(seq, 0, '{"forged":true}'), {
        head: headOf(texts(SIZE)),
      });
      expect((await verify(inserted)).ok).toBe(false);
      const doubled = original.toSpliced(seq + 1, 0, original[Math.max(seq, 1)]!);
      expect((await verify(doubled)).ok).toBe(false);
    }
  });

  test('two events swapped, with their seq or without it', async () => {
    const swapped = texts(SIZE).with(3, eventText(8)).with(8, eventText(3));
    expect((await verify(exportOf(swapped, { head: headOf(texts(SIZE)) }))).ok).toBe(false);
    const lines = original.with(4, original[9]!).with(9, original[4]!);
    expect((await verify(lines)).problems[0]).toMatchObject({ line: 5, seq: 8 });
  });

  test('H-262 a tail cut together with head and trailer is found by a head kept outside', async () => {
    const cut = exportOf(texts(5), { exportedAt: '2026-03-01T12:02:00.000Z' });
    expect((await verify(cut)).ok).toBe(true);
    const knownHeads = [headOf(texts(4)), headOf(texts(SIZE))];
    const verdict = await verify(cut, { ...trusted, knownHeads });
    expect(verdict).toMatchObject({ ok: false, knownHeadsMatched: 1, unfitHeads: [] });
    expect(complaints(verdict)).toContain(`has ${SIZE} events, but only 5 could be read`);
    // The time of the export is not signed, so a claim that it was before the head is not trusted either.
    expect((await verify(exportOf(texts(5)), { ...trusted, knownHeads })).ok).toBe(false);
    // A head signed later is trusted.
    const { keyId: _, signature: __, ...head } = headOf(texts(5));
    const later = signTreeHead({ ...head, timestamp: '2026-03-01T12:02:00.000Z' }, signer.privateKey);
    const shrunk = exportOf(texts(5), { head: later, exportedAt: '2026-03-01T12:00:00.000Z' });
    expect(complaints(await verify(shrunk, { ...trusted, knownHeads }))).toContain('only 5 could be read');
  });

  test('a log rewritten and signed anew by the server itself is found by a head kept outside', async () => {
    const rewritten = texts(SIZE).with(2, '{"forged":true}');
    expect((await verify(exportOf(rewritten))).ok).toBe(true);
    const verdict = await verify(exportOf(rewritten), { ...trusted, knownHeads: [headOf(texts(6))] });
    expect(verdict.problems[0]!.problem).toContain('from seq 0 to 5');
  });

  test('a file cut after any line', async () => {
    for (let kept = 0; kept < original.length; kept++)
      expect((await verify(original.slice(0, kept))).ok).toBe(false);
  });

  test('any single byte changed, removed or doubled', async () => {
    const file = Buffer.from(exportOf(texts(2)).join('\n'));
    // Nothing signs the day of the export: all else is covered.
    const dateAt = file.indexOf('exportedAt') + 'exportedAt":"'.length;
    for (let at = 0; at < file.length; at++) {
      const flipped = Buffer.from(file);
      flipped[at]! ^= 1 << (at % 8);
      const without = Buffer.concat([file.subarray(0, at), file.subarray(at + 1)]);
      const doubled = Buffer.concat([file.subarray(0, at + 1), file.subarray(at)]);
      for (const bytes of [flipped, without, doubled]) {
        if (bytes === flipped && at >= dateAt && at < dateAt + 24) continue;
        const verdict = await verifyExport(exportLines(bytesOf(bytes, 4096)), trusted);
        expect(verdict.ok, `byte ${at}: ${bytes.subarray(at - 10, at + 10)}`).toBe(false);
      }
    }
  });

  test('any lines shuffled, doubled or dropped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: original.length - 1 }), { maxLength: 20 }), async (picks) => {
        const lines = picks.map((at) => original[at]!);
        fc.pre(lines.join('\n') !== original.join('\n'));
        expect((await verify(lines)).ok).toBe(false);
      }),
    );
  });

  test('anything after the trailer, a second header, blank lines', async () => {
    for (const lines of [
      [...original, ''],
      [...original, original[1]!],
      original.toSpliced(4, 0, ''),
      original.toSpliced(4, 0, original[0]!),
      ['', ...original],
    ])
      expect((await verify(lines)).ok).toBe(false);
  });

  test('a line that two readers could read differently', async () => {
    const line = original[3]!;
    for (const other of [
      line.replace('{"type"', '{"seq":2,"type"'),
      line.replace('}', ',"note":"approved"}'),
      line.replace(',"leafHash"', ', "leafHash"'),
      line.replace('user-2', 'user-\\u0032'),
      `${line}\r`,
      line.replace('"seq":2', '"seq":2.0'),
      line.replace('"type"', '"__proto__":{},"type"'),
    ]) {
      expect(other).not.toBe(line);
      expect((await verify(original.with(3, other))).ok).toBe(false);
    }
  });

  test('a text that was hashed but is not canonical JSON', async () => {
    for (const text of ['{"actor":"eve", "actor":"bob"}', '{"b":1,"a":1}', 'no JSON', '']) {
      const verdict = await verify(exportOf([text]));
      expect(verdict.problems).toEqual([
        { line: 2, seq: 0, problem: 'has a text that is not canonical JSON' },
      ]);
    }
  });

  test('another tenant in the head or in a known head', async () => {
    const line = original[0]!.replace(
      `"tenantId":"${TENANT}","exportedAt"`,
      '"tenantId":"other","exportedAt"',
    );
    expect(complaints(await verify(original.with(0, line)))).toContain('another tenant');
    const knownHeads = [headOf(texts(3), signer.privateKey, 'other')];
    expect(await verify(original, { ...trusted, knownHeads })).toMatchObject({
      ok: false,
      problems: [],
      unfitHeads: [{ size: 3, problem: expect.stringContaining('of the tenant other') }],
    });
  });

  test('a head that was saved after the export is explained, and compared with nothing', async () => {
    const newer = headOf(texts(SIZE + 2));
    const verdict = await verify(original, { ...trusted, knownHeads: [headOf(texts(4)), newer] });
    expect(verdict).toMatchObject({ ok: false, problems: [], knownHeadsMatched: 1 });
    expect(verdict.unfitHeads).toEqual([
      { size: SIZE + 2, timestamp: newer.timestamp, problem: expect.stringContaining('export again') },
    ]);
  });

  test('a known head that is malformed or signed by an untrusted key is reported', async () => {
    const foreign = [headOf(texts(3), intruder.privateKey)];
    expect(await verify(original, { ...trusted, knownHeads: foreign })).toMatchObject({
      ok: false,
      problems: [],
      unfitHeads: [{ size: 3, problem: expect.stringContaining('not signed by') }],
    });
    const malformed = [{ ...headOf(texts(3)), size: '3' } as unknown as SignedTreeHead];
    expect(complaints(await verify(original, { ...trusted, knownHeads: malformed }))).toContain('malformed');
  });
});

describe('the reader', () => {
  test('refuses a file that is not UTF-8, or has a line without end, as a problem of the file', async () => {
    const file = Buffer.from(exportOf(texts(2)).join('\n'));
    file[file.indexOf('€')] = 0xff;
    const verdict = await verifyExport(exportLines(bytesOf(file)), trusted);
    expect(verdict.problems).toContainEqual({ line: 2, seq: null, problem: 'the line is not UTF-8' });
    const long = await verifyExport(exportLines(bytesOf('x'.repeat(100)), { maxLineBytes: 64 }), trusted);
    expect(complaints(long)).toContain('longer than 64 bytes');
  });

  test('reports an error of the disk as such, not as an altered log', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${exportOf(texts(1))[0]}\n`);
      throw new Error('EIO');
    }
    await expect(verifyExport(exportLines(failing()), trusted)).rejects.toThrow('EIO');
  });

  test('keeps no more than a thousand problems', async () => {
    const junk = Array.from({ length: 3000 }, () => 'junk');
    const verdict = await verify(junk);
    expect(verdict.problems).toHaveLength(1000);
    expect(verdict.problemsOmitted).toBeGreaterThan(2000);
  });
});
