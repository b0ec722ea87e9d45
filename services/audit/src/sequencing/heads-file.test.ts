import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafHash, parseSignedTreeHead, signTreeHead } from '@claviger/merkle';
import { createLogger } from '@claviger/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHeadsFile } from './heads-file.ts';
import { signRestoreMark } from './restore-mark.ts';

const logger = createLogger({ service: 'audit', node: 'test', level: 'silent' });
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-heads-'));
});
afterAll(() => rm(folder, { recursive: true }));

const root = leafHash('x').toString('hex');
const headOf = (tenantId: string, size: number) =>
  signTreeHead(
    { tenantId, size, rootHash: root, timestamp: new Date().toISOString(), previousRootHash: root },
    privateKey,
  );

test('every head is one line in the file, and the newest of each tenant is known after reopening', async () => {
  const path = join(folder, 'new', 'heads.jsonl');
  const [one, two] = [randomUUID(), randomUUID()];
  const heads = [headOf(one, 1), headOf(two, 5), headOf(one, 3)];
  {
    await using file = await openHeadsFile(path, logger, publicKey);
    await Promise.all(heads.map((head) => file.append(head)));
  }
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => parseSignedTreeHead(JSON.parse(line)))).toEqual(heads);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await using again = await openHeadsFile(path, logger, publicKey);
  expect(again.newest(one)).toEqual(heads[2]);
  expect(again.tenants().toSorted()).toEqual([one, two].toSorted());
  expect(again.problem()).toBeUndefined();
});

test('half a line from a crash affects neither earlier nor later lines', async () => {
  const path = join(folder, 'torn.jsonl');
  const tenant = randomUUID();
  const whole = `${JSON.stringify(headOf(tenant, 1))}\n`;
  await appendFile(path, whole + whole.slice(0, 70));
  const newest = headOf(tenant, 2);
  {
    await using file = await openHeadsFile(path, logger, publicKey);
    expect(file.newest(tenant)?.size).toBe(1);
    await file.append(newest);
  }
  await using again = await openHeadsFile(path, logger, publicKey);
  expect(again.newest(tenant)).toEqual(newest);
  expect(again.problem()).toBeUndefined();
});

test.each(['hello\n', '{"tenantId":"x"}\n', '{"tenantId":"\u00ff\n'])(
  'a line that is not a head is a problem with its line number: %j',
  async (line) => {
    const path = join(folder, randomUUID());
    await appendFile(path, `${JSON.stringify(headOf(randomUUID(), 1))}\n`);
    await appendFile(path, Buffer.from(line, 'latin1'));
    await using file = await openHeadsFile(path, logger, publicKey);
    expect(file.problem()).toContain('line 2');
  },
);

test('heads before the mark of a finished restore are ignored; a mark with a wrong signature changes nothing', async () => {
  const path = join(folder, 'restored.jsonl');
  const [one, two] = [randomUUID(), randomUUID()];
  const foreign = generateKeyPairSync('ed25519').privateKey;
  {
    await using file = await openHeadsFile(path, logger, publicKey);
    await file.append(headOf(one, 9));
    await file.appendRestoreMark(signRestoreMark(1, privateKey));
    expect([file.newest(one), file.restoredAt()]).toEqual([undefined, expect.stringMatching(/Z$/)]);
    await file.append(headOf(two, 2));
    await file.append(headOf(one, 4));
  }
  {
    await using again = await openHeadsFile(path, logger, publicKey);
    expect([again.newest(one)?.size, again.newest(two)?.size, again.problem()]).toEqual([4, 2, undefined]);
    await appendFile(path, `${JSON.stringify(signRestoreMark(2, foreign))}\n`);
  }
  await using last = await openHeadsFile(path, logger, publicKey);
  expect(last.newest(one)?.size).toBe(4);
  expect(last.problem()).toContain('is not a tree head');
});

test('a refresh reads lines of other replicas, and an incomplete line only after it is complete', async () => {
  const path = join(folder, 'shared.jsonl');
  const tenant = randomUUID();
  await using file = await openHeadsFile(path, logger, publicKey);
  await using other = await openHeadsFile(path, logger, publicKey);
  await other.append(headOf(tenant, 1));
  await file.refresh();
  expect(file.newest(tenant)?.size).toBe(1);
  const line = `${JSON.stringify(headOf(tenant, 2))}\n`;
  await appendFile(path, line.slice(0, 60));
  await file.refresh();
  expect([file.newest(tenant)?.size, file.problem()]).toEqual([1, undefined]);
  await appendFile(path, line.slice(60));
  await file.refresh();
  expect([file.newest(tenant)?.size, file.problem()]).toEqual([2, undefined]);
});

test('a file that is truncated while the service runs is reported as a problem, and its heads stay known', async () => {
  const path = join(folder, 'cut.jsonl');
  const tenant = randomUUID();
  await using file = await openHeadsFile(path, logger, publicKey);
  await file.append(headOf(tenant, 4));
  await file.refresh();
  await truncate(path, 10);
  await file.refresh();
  expect(file.problem()).toContain('was truncated');
  expect(file.newest(tenant)?.size).toBe(4);
});
