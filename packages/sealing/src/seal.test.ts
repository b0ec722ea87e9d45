import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKek, createKeyCache, openKek, type RootKeyConfig } from '@claviger/keyring';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CanaryStore } from './canary-store.ts';
import { openSeal, type Seal } from './seal.ts';
import { makeShares, parseShare, ShareTextError } from './share-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'claviger-seal-'));
const path = join(folder, 'root.key');
const ids = { tenantId: 't-1', kekId: 'k-1', version: 1 };
const seals: Seal[] = [];
let store: ReturnType<typeof memory>;
beforeEach(() => {
  store = memory();
  writeFileSync(path, randomBytes(32), { mode: 0o600 });
});
afterEach(() => {
  for (const seal of seals.splice(0)) seal[Symbol.dispose]();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A database of one row that can be made unavailable, and that counts writes. */
function memory() {
  const state = { blob: undefined as Uint8Array | 'lost' | undefined, writes: 0, away: false };
  const canary: CanaryStore = {
    read: async () => {
      if (state.away) throw new Error('connection refused');
      return state.blob;
    },
    storeFirst: async (blob) => {
      state.writes += 1;
      if (state.blob === undefined) state.blob = blob;
      return state.blob as Uint8Array;
    },
  };
  return Object.assign(state, { canary });
}
const silent = { info: () => {}, warn: () => {}, error: () => {} };
async function sealOf(config: RootKeyConfig, onClose = () => {}): Promise<Seal> {
  const seal = await openSeal({ config, canary: store.canary, what: 'the vault', logger: silent, onClose });
  seals.push(seal);
  return seal;
}
const file: RootKeyConfig = { provider: 'file', path };
const mounted: RootKeyConfig = { provider: 'kubernetes-secret', path };
const shamir: RootKeyConfig = { provider: 'shamir' };
const open = (seal: Seal) =>
  vi.waitFor(() => expect(seal.status().state).toBe('open'), { timeout: 90_000, interval: 20 });

test('an empty database is set up once, with the first root key', async () => {
  const seal = await sealOf(file);
  expect(seal.status()).toMatchObject({ state: 'open', keyId: expect.stringMatching(/^file:/), problem: '' });
  await sealOf(file);
  expect(store.writes).toBe(1);
});

test.each<[string, () => void]>([
  ['missing', () => rmSync(path)],
  ['truncated', () => writeFileSync(path, randomBytes(16))],
  ['another one', () => writeFileSync(path, randomBytes(32))],
])(
  'H-135 a root key that is %s seals the service and writes nothing; the right one opens it by itself',
  async (_, damage) => {
    const right = randomBytes(32);
    writeFileSync(path, right);
    await sealOf(file);
    const before = store.blob;
    damage();
    const seal = await sealOf(file);
    expect(seal.status()).toMatchObject({ state: 'sealed', keyId: '' });
    expect(seal.status().problem).not.toContain(right.toString('hex').slice(0, 8));
    expect(() => seal.requireOpen()).toThrow(expect.objectContaining({ reason: 'sealed' }));
    expect([store.blob, store.writes]).toEqual([before, 1]);
    writeFileSync(path, right, { mode: 0o600 });
    await open(seal);
    expect(store.writes).toBe(1);
  },
);

test('data without a canary is not treated as an empty database', async () => {
  store.blob = 'lost';
  const seal = await sealOf(file);
  expect(seal.status()).toMatchObject({ state: 'sealed', problem: expect.stringContaining('one backup') });
  expect(store.writes).toBe(0);
});

test('during an outage of the database the service is unavailable, not sealed', async () => {
  store.away = true;
  const seal = await sealOf(file);
  expect(seal.isSealed()).toBe(false);
  expect(() => seal.requireOpen()).toThrow(expect.objectContaining({ reason: 'unavailable' }));
  store.away = false;
  await open(seal);
});

test('during an outage of the provider, keys in memory work and others do not; afterwards all work', async () => {
  const right = randomBytes(32);
  writeFileSync(path, right);
  const seal = await sealOf(mounted);
  const wrapped = await createKek(seal.requireOpen(), ids);
  let nowMs = 0;
  const cache = createKeyCache({ clock: () => nowMs, destroyedAmong: async () => [] });
  const use = () => cache.get('t-1', 'k-1', () => openKek(seal.requireOpen(), wrapped, ids));
  await use();
  rmSync(path);
  expect((await use()).kekId).toBe('k-1');
  expect(seal.isSealed()).toBe(false);
  await expect(seal.checkProvider()).rejects.toThrow(/no mounted secret/);
  const unreachable = { reason: 'sealed', code: 'root_key_unreachable', retryAfterSeconds: 5 };
  await expect(openKek(seal.requireOpen(), wrapped, ids)).rejects.toMatchObject(unreachable);
  // After fifteen minutes, keys in memory are dropped as well.
  nowMs = 15 * 60 * 1000;
  await expect(use()).rejects.toMatchObject(unreachable);
  writeFileSync(path, right, { mode: 0o600 });
  expect((await use()).kekId).toBe('k-1');
});

test('a cloud KMS that does not answer at the start is tried again, and nothing is written meanwhile', async () => {
  const credentialsFile = join(folder, 'credentials');
  writeFileSync(credentialsFile, '[default]\naws_access_key_id = A\naws_secret_access_key = B\n', {
    mode: 0o600,
  });
  const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  let up = false;
  // A fake KMS that returns its input.
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!up) return void response.destroy();
      const { Plaintext, CiphertextBlob } = JSON.parse(Buffer.concat(chunks).toString()) as Record<
        string,
        string
      >;
      response.end(
        JSON.stringify(
          Plaintext
            ? { KeyId: keyArn, CiphertextBlob: Plaintext }
            : { KeyId: keyArn, Plaintext: CiphertextBlob },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const seal = await sealOf({ provider: 'aws-kms', keyArn, credentialsFile, endpoint });
    expect(seal.status()).toMatchObject({
      state: 'unknown',
      problem: expect.stringContaining('does not answer'),
    });
    expect(store.writes).toBe(0);
    up = true;
    await open(seal);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('sealing drops the key at once, also for holders of the provider, until it is opened again', async () => {
  let closed = 0;
  const seal = await sealOf(file, () => {
    closed += 1;
  });
  const provider = seal.requireOpen();
  const wrapped = await createKek(provider, ids);
  seal.close();
  expect(closed).toBe(1);
  expect(seal.isSealed()).toBe(true);
  await expect(openKek(provider, wrapped, ids)).rejects.toMatchObject({ reason: 'sealed' });
  await seal.reopen();
  await openKek(seal.requireOpen(), wrapped, ids);
});

const partsOf = (texts: readonly string[]) => texts.map((text) => parseShare(text).parts.get('vault')!);
const scheme = { threshold: 3, shares: 5 };

test('shares set up an empty database only on request, and open it afterwards in any order', async () => {
  const texts = makeShares(['vault'], scheme);
  const seal = await sealOf(shamir);
  expect(seal.status()).toMatchObject({ state: 'sealed', problem: expect.stringContaining('--init') });
  const give = async (numbers: readonly number[], initialise = false) => {
    for (const number of numbers) await seal.submitShare(partsOf(texts)[number]!, { initialise });
  };
  await expect(give([0, 1, 2])).rejects.toMatchObject({ code: 'not_initialised' });
  expect(store.writes).toBe(0);
  await give([0, 1, 2], true);
  const wrapped = await createKek(seal.requireOpen(), ids);
  seal.close();
  await give([4, 1]);
  expect(seal.status()).toMatchObject({ state: 'sealed', sharesGiven: 2, sharesNeeded: 3 });
  await give([3]);
  await openKek(seal.requireOpen(), wrapped, ids);
  expect(store.writes).toBe(1);
});

test('a complete set of shares of another root key opens nothing and replaces nothing', async () => {
  const seal = await sealOf(shamir);
  for (const part of partsOf(makeShares(['vault'], scheme)).slice(0, 3))
    await seal.submitShare(part, { initialise: true });
  seal.close();
  const before = store.blob;
  const [a, b, c] = partsOf(makeShares(['vault'], scheme));
  await seal.submitShare(a!, { initialise: true });
  await seal.submitShare(b!, { initialise: true });
  await expect(seal.submitShare(c!, { initialise: true })).rejects.toMatchObject({ code: 'wrong_shares' });
  expect([store.blob, store.writes, seal.status().sharesGiven]).toEqual([before, 1, 0]);
});

test('a share of another set or with a duplicate number is refused, and the earlier shares are kept', async () => {
  const seal = await sealOf(shamir);
  const [a, b] = partsOf(makeShares(['vault'], scheme));
  const [stranger] = partsOf(makeShares(['vault'], scheme));
  await seal.submitShare(a!, { initialise: true });
  await expect(seal.submitShare(stranger!, { initialise: true })).rejects.toMatchObject({
    code: 'share_of_another_key',
  });
  const twin = { ...a!, data: randomBytes(32) };
  await expect(seal.submitShare(twin, { initialise: true })).rejects.toMatchObject({
    code: 'share_given_twice',
  });
  await seal.submitShare(b!, { initialise: true });
  expect(seal.status().sharesGiven).toBe(2);
  seal.discardShares();
  expect(seal.status()).toMatchObject({ sharesGiven: 0, sharesNeeded: 0 });
});

test('after an outage of the database at the last share, only the last share is submitted again', async () => {
  const seal = await sealOf(shamir);
  const parts = () => partsOf(texts);
  const texts = makeShares(['vault'], scheme);
  for (const part of parts().slice(0, 2)) await seal.submitShare(part, { initialise: true });
  store.away = true;
  await expect(seal.submitShare(parts()[2]!, { initialise: true })).rejects.toThrow('connection refused');
  store.away = false;
  await seal.submitShare(parts()[2]!, { initialise: true });
  expect(seal.status().state).toBe('open');
});

test('shares are refused by services without the shamir provider', async () => {
  const seal = await sealOf(file);
  const [part] = partsOf(makeShares(['vault'], scheme));
  await expect(seal.submitShare(part!, { initialise: true })).rejects.toMatchObject({
    code: 'not_by_shares',
  });
  const shared = await sealOf(shamir);
  await expect(shared.reopen()).rejects.toMatchObject({ code: 'shares_needed' });
});

test('a share may contain line breaks and blanks, but no other change', () => {
  const [text] = makeShares(['vault', 'auth'], scheme);
  const share = parseShare(`  ${text!.slice(0, 50)}\n ${text!.slice(50)} \n`);
  expect(share).toMatchObject({ index: 1, threshold: 3, shares: 5 });
  expect([...share.parts.keys()]).toEqual(['vault', 'auth']);
  for (let at = 0; at < text!.length; at++) {
    const other = text![at] === 'A' ? 'B' : 'A';
    expect(() => parseShare(text!.slice(0, at) + other + text!.slice(at + 1)), `character ${at}`).toThrow(
      ShareTextError,
    );
    expect(() => parseShare(text!.slice(0, at))).toThrow(ShareTextError);
  }
});
