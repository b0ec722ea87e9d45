import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  appendLeaves,
  canonicalJson,
  EMPTY_FRONTIER,
  emptyRoot,
  exportEventLine,
  exportHeaderLine,
  exportTrailerLine,
  leafHash,
  type SignedTreeHead,
  signReceipt,
  signTreeHead,
} from '@claviger/merkle';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readHeads, readPublicKeys, readReceipt } from './audit-files.ts';
import { auditVerify, verdictLines } from './audit-verify.ts';
import { verifyAuditFile } from './verify-audit-file.ts';

const headSigner = generateKeyPairSync('ed25519');
const receiptSigner = generateKeyPairSync('ed25519');
const intruder = generateKeyPairSync('ed25519');
const tenantId = '5a0e6a52-2f62-4a59-8d5e-9d3a53a0c0de';
const at = '2026-03-01T12:00:00.000Z';

const eventText = (seq: number) =>
  canonicalJson({ id: `event-${seq}`, action: 'vault.credentials.delivered', actorName: 'alice', seq });
const texts = (count: number) => Array.from({ length: count }, (_, seq) => eventText(seq));

function headOf(entries: readonly string[], key: KeyObject = headSigner.privateKey): SignedTreeHead {
  const { root } = appendLeaves(EMPTY_FRONTIER, entries.map(leafHash));
  const previousRootHash = emptyRoot().toString('hex');
  return signTreeHead(
    { tenantId, size: entries.length, rootHash: root.toString('hex'), timestamp: at, previousRootHash },
    key,
  );
}

function exportOf(entries: readonly string[], pair = headSigner): string[] {
  return [
    exportHeaderLine({ treeHead: headOf(entries, pair.privateKey), publicKeys: [pair.publicKey] }),
    ...entries.map((canonical, seq) => exportEventLine({ seq, leafHash: leafHash(canonical), canonical })),
    exportTrailerLine(entries.length),
  ];
}

const receiptFor = (seq: number, key = receiptSigner.privateKey) =>
  signReceipt(
    {
      eventId: `event-${seq}`,
      tenantId,
      leafHash: leafHash(eventText(seq)).toString('hex'),
      action: 'vault.credentials.delivered',
      issuedAt: at,
    },
    key,
  );

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-verify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : `${content.join('\n')}\n`);
  return path;
}

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const keysFile = () =>
  file(
    'keys.json',
    JSON.stringify({
      items: [
        { keyId: 'x', purpose: 'tree-head', publicKey: pem(headSigner.publicKey) },
        { keyId: 'y', purpose: 'receipt', publicKey: pem(receiptSigner.publicKey) },
      ],
    }),
  );
const evidence = async (more: object = {}) => ({
  heads: [headOf(texts(3))],
  keys: await readPublicKeys(keysFile()),
  receipts: [{ name: 'r', receipt: receiptFor(2) }],
  ...more,
});

test('an untouched export, a kept head and a receipt are confirmed', async () => {
  const verdict = await verifyAuditFile(file('good.jsonl', exportOf(texts(5))), await evidence());
  expect(verdict).toMatchObject({ ok: true, events: 5, trust: 'trusted-key', knownHeadsMatched: 1 });
  expect(verdict.receipts).toEqual([{ name: 'r', ok: true, seq: 2, problem: null }]);
  expect(verdictLines('good.jsonl', verdict)[0]).toMatch(
    /^✔ 5 events, tree head signed by [0-9a-f]{16}, 1 kept head matched$/,
  );
});

const tampered: Record<string, (lines: string[]) => string[]> = {
  'an altered text': (lines) => lines.with(3, lines[3]!.replace('alice', 'mallory')),
  'a removed event': (lines) => lines.toSpliced(3, 1),
  'a text that was taken out': (lines) =>
    lines.with(3, JSON.stringify({ ...JSON.parse(lines[3]!), canonical: null })),
  'two events exchanged': (lines) => lines.with(2, lines[3]!).with(3, lines[2]!),
  'a cut tail': (lines) => lines.slice(0, -2),
  'another log, signed by another key': () => exportOf(texts(5), intruder),
  'a log rewritten and signed anew': () => exportOf([...texts(2), eventText(9), ...texts(5).slice(3)]),
  nothing: () => [],
};

test.each(Object.keys(tampered))('%s is found', async (name) => {
  const path = file('tampered.jsonl', tampered[name]!(exportOf(texts(5))));
  const verdict = await verifyAuditFile(path, await evidence({ receipts: [] }));
  expect(verdict.ok).toBe(false);
  expect(verdictLines(path, verdict).join('\n')).toMatch(/✘ .*\n {2}line \d+/);
});

test('the line and the event that were altered are named', async () => {
  const path = file('altered.jsonl', tampered['an altered text']!(exportOf(texts(5))));
  const { problems } = await verifyAuditFile(path, await evidence());
  expect(problems[0]).toMatchObject({ line: 4, seq: 2 });
});

test.each([
  ['signed by another key', () => receiptFor(2, intruder.privateKey), 'not signed'],
  ['of the key that signs tree heads', () => receiptFor(2, headSigner.privateKey), 'not signed'],
  ['whose event is missing', () => receiptFor(7), 'not in this export'],
  ['with a changed field', () => ({ ...receiptFor(2), action: 'vault.entry.retrieved' }), 'not signed'],
])('a receipt %s is refused', async (_, receipt, problem) => {
  const receipts = [{ name: 'r', receipt: receipt() }];
  const verdict = await verifyAuditFile(file('good.jsonl', exportOf(texts(5))), await evidence({ receipts }));
  expect(verdict.ok).toBe(false);
  expect(verdict.receipts[0]!.problem).toContain(problem);
});

test('without keys the verdict is marked as first use, and a receipt cannot be confirmed', async () => {
  const verdict = await verifyAuditFile(
    file('good.jsonl', exportOf(texts(5))),
    await evidence({ keys: undefined }),
  );
  expect(verdict).toMatchObject({ ok: false, trust: 'first-use' });
  expect(verdict.receipts[0]!.problem).toContain('--keys');
});

const changed: Record<string, readonly [(text: string) => string | Buffer, readonly string[]]> = {
  'CRLF of Windows': [(text) => text.replaceAll('\n', '\r\n'), ['carriage-returns']],
  'CRLF twice': [(text) => text.replaceAll('\n', '\r\r\n'), ['carriage-returns']],
  'a byte order mark': [(text) => `\ufeff${text}`, ['byte-order-mark']],
  'no last line end': [(text) => text.trimEnd(), ['no-last-line-end']],
  'CRLF, a mark and no last line end': [
    (text) => `\ufeff${text.trimEnd().replaceAll('\n', '\r\n')}`,
    ['byte-order-mark', 'carriage-returns', 'no-last-line-end'],
  ],
  'empty lines at the end': [(text) => `${text}\n\r\n`, ['carriage-returns', 'empty-last-lines']],
};

test.each(Object.keys(changed))(
  '%s in an export is reported, and the log is still verified',
  async (name) => {
    const [change, fileChanges] = changed[name]!;
    const whole = `${exportOf(texts(5)).join('\n')}\n`;
    const path = join(folder, 'changed.jsonl');
    writeFileSync(path, change(whole));
    const verdict = await verifyAuditFile(path, await evidence());
    expect(verdict).toMatchObject({ ok: true, fileChanges, knownHeadsMatched: 1, receipts: [{ ok: true }] });
    expect(verdictLines(path, verdict)).toMatchObject([
      expect.stringMatching(/^✔ 5 events/),
      expect.stringMatching(/The log in it is intact\..*copy the file again in binary mode, or export again/),
      expect.stringMatching(/^✔ receipt/),
    ]);
    // Other alterations are found at their lines.
    writeFileSync(path, change(whole.replace('event-2', 'event-9')));
    const altered = await verifyAuditFile(path, await evidence());
    expect(altered).toMatchObject({ ok: false, fileChanges, problems: [{ line: 4, seq: 2 }] });
    expect(verdictLines(path, altered).join('\n')).toMatch(/was altered or is incomplete:\n[\s\S]*Also, /);
  },
);

test.each([
  ['in UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'), 'iconv -f UTF-16LE'],
  ['in UTF-16 without a mark', (text: string) => Buffer.from(text, 'utf16le'), 'iconv -f UTF-16LE'],
  ['packed with gzip', (text: string) => gzipSync(text), 'gunzip'],
  ['with the line ends of an old Macintosh', (text: string) => text.replaceAll('\n', '\r'), "tr '\\r' '\\n'"],
])('an export %s is a usage error that names the command to convert it', async (_, change, remedy) => {
  const path = join(folder, 'form.jsonl');
  writeFileSync(path, change(`${exportOf(texts(5)).join('\n')}\n`));
  await expect(verifyAuditFile(path, await evidence())).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(remedy),
  });
});

test('a cut last line, an empty line between events, and another form of export are reported as such', async () => {
  const cut = join(folder, 'cut.jsonl');
  const lines = exportOf(texts(5));
  writeFileSync(cut, lines.join('\n').slice(0, -5));
  const verdict = await verifyAuditFile(cut, await evidence());
  expect(verdict.ok).toBe(false);
  expect(verdictLines(cut, verdict).join('\n')).toMatch(
    /trailer is missing[\s\S]*the last line end is missing.*copy the file again/,
  );
  const spaced = await verifyAuditFile(file('spaced.jsonl', lines.toSpliced(2, 0, '')), await evidence());
  expect(spaced.problems).toMatchObject([{ line: 3 }]);
  const csv = await verifyAuditFile(file('events.csv', 'id,time\r\n1,2\r\n'), await evidence());
  expect(verdictLines('events.csv', csv).join('\n')).toContain('audit export --format jsonl');
});

test('a head that does not belong to the export is explained, with exit code 2', async () => {
  const good = file('good.jsonl', exportOf(texts(5)));
  const later = file('later.json', JSON.stringify(headOf(texts(7))));
  const options = { head: [later], keys: keysFile(), output: 'json' as const };
  expect(await auditVerify(good, options)).toBe(2);
  const verdict = await verifyAuditFile(
    good,
    await evidence({ heads: [headOf(texts(3)), headOf(texts(7))] }),
  );
  expect(verdict).toMatchObject({ ok: false, problems: [], knownHeadsMatched: 1 });
  expect(verdictLines(good, verdict)).toMatchObject([
    expect.stringMatching(/^✔ 5 events/),
    expect.stringMatching(/^✘ head of 7 events of .*saved after the export.*export again, or give a head/),
    expect.stringMatching(/^✔ receipt/),
  ]);
  const tampered = file('bad.jsonl', exportOf(texts(5)).toSpliced(3, 1));
  expect(await auditVerify(tampered, options)).toBe(1);
});

test('heads and keys are read with the mark and the line ends of Windows; UTF-16 is a usage error', async () => {
  const heads = [headOf(texts(1)), headOf(texts(2))];
  const text = `\ufeff${heads.map((head) => JSON.stringify(head)).join('\r\n')}\r\n`;
  expect(await readHeads(file('heads.jsonl', text))).toEqual(heads);
  expect(await readHeads(file('head.json', `\ufeff${JSON.stringify(heads[0])}\r\n`))).toEqual([heads[0]]);
  const keys = `\ufeff${pem(headSigner.publicKey).replaceAll('\n', '\r\n')}`;
  expect((await readPublicKeys(file('keys.pem', keys))).treeHead).toHaveLength(1);
  const wide = file('wide.json', '');
  writeFileSync(wide, Buffer.from(text, 'utf16le'));
  await expect(readHeads(wide)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('UTF-16LE'),
  });
});

test('a file has one head, or one on each line; a receipt is read alone or inside an answer', async () => {
  const heads = [headOf(texts(1)), headOf(texts(2))];
  expect(await readHeads(file('one.json', JSON.stringify(heads[0], undefined, 2)))).toEqual([heads[0]]);
  expect(
    await readHeads(
      file(
        'many.jsonl',
        heads.map((head) => JSON.stringify(head)),
      ),
    ),
  ).toEqual(heads);
  const receipt = receiptFor(1);
  expect(await readReceipt(file('r.json', JSON.stringify({ secret: 's', receipt })))).toEqual(receipt);
  expect(await readReceipt(file('r.json', JSON.stringify(receipt)))).toEqual(receipt);
});

test.each(['{"size":1}', 'x', '', '{}\n{}'])(
  'a file of heads with %j in it is a usage error',
  async (content) => {
    await expect(readHeads(file('bad.json', content))).rejects.toMatchObject({ exitCode: 2 });
  },
);

test('the command exits with 0 for an intact log, 1 for an altered one, 2 for a file that does not exist', async () => {
  const head = [file('head.json', JSON.stringify(headOf(texts(3))))];
  const options = { head, keys: keysFile(), output: 'json' as const };
  expect(await auditVerify(file('good.jsonl', exportOf(texts(5))), options)).toBe(0);
  expect(await auditVerify(file('cut.jsonl', exportOf(texts(5)).slice(0, 3)), options)).toBe(1);
  await expect(auditVerify(join(folder, 'none.jsonl'), options)).rejects.toMatchObject({ exitCode: 2 });
});
