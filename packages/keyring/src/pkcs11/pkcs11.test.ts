import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkCanary, createCanary } from '../canary.ts';
import { createKek, openKek } from '../kek.ts';
import { loadCryptoki } from './cryptoki.ts';
import { pkcs11Provider } from './pkcs11-provider.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';
import { openTokenKey } from './token-session.ts';

const ids = { tenantId: 't-1', kekId: 'k-1', version: 1 };
let folder: string;
let token: SoftToken;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-token-'));
  token = makeSoftToken(folder, process.env);
  token.makeKey('root-1');
  token.makeKey('root-2');
  token.makeKey('twice');
  token.makeKey('twice');
  token.makeKey('short', '--key-type', 'AES:16', '--sensitive');
  token.makeKey('open', '--key-type', 'AES:32', '--extractable');
  // Before the module is loaded into this process.
  process.env.SOFTHSM2_CONF = token.configFile;
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const where = (keyLabel = 'root-1', more = {}) => ({ ...token, keyLabel, ...more });
const patient = { timeoutMs: 50_000 };

test('a KEK wrapped by the token is unwrapped with its ids, also after a restart, and with no other key', async () => {
  const provider = await pkcs11Provider(where(), patient);
  const wrapped = await createKek(provider, ids);
  const again = await pkcs11Provider(where(), patient);
  expect(again.id).toBe(provider.id);
  expect(again.id).toBe(`pkcs11:root-1:${await provider.keyCheck()}`);
  expect((await openKek(again, wrapped, ids)).kekId).toBe('k-1');
  const other = await pkcs11Provider(where('root-2'), patient);
  expect(await other.keyCheck()).not.toBe(await provider.keyCheck());
  await expect(openKek(other, wrapped, ids)).rejects.toMatchObject({ reason: 'root_refused' });
  await expect(openKek(provider, wrapped, { ...ids, version: 2 })).rejects.toMatchObject({
    reason: 'root_refused',
  });
  expect(await checkCanary(other, await createCanary(provider))).toBe(false);
});

test('any changed or missing byte is refused', async () => {
  const provider = await pkcs11Provider(where(), patient);
  const wrapped = await createKek(provider, ids);
  for (let at = 0; at < wrapped.length; at++) {
    const changed = Buffer.from(wrapped);
    changed[at]! ^= 1;
    await expect(openKek(provider, changed, ids)).rejects.toMatchObject({ reason: 'root_refused' });
    await expect(openKek(provider, wrapped.subarray(0, at), ids)).rejects.toMatchObject({
      reason: 'root_refused',
    });
  }
});

test('concurrent calls of any length are served one after the other', async () => {
  const provider = await pkcs11Provider(where(), patient);
  const aad = randomBytes(200);
  await Promise.all(
    [1, 31, 32, 1000].flatMap((length) =>
      Array.from({ length: 8 }, async () => {
        const bytes = randomBytes(length);
        expect(await provider.unwrap(await provider.wrap(bytes, aad), aad)).toEqual(bytes);
      }),
    ),
  );
});

test.each([
  [
    'a missing module',
    () => where('root-1', { module: join(folder, 'none.so') }),
    'missing',
    /cannot be loaded/,
  ],
  ['a missing token', () => where('root-1', { tokenLabel: 'none' }), 'missing', /No PKCS#11 token/],
  ['a missing key', () => where('none'), 'missing', /no AES key/],
  ['a label of two keys', () => where('twice'), 'refused', /several/],
  ['a key of 128 bits', () => where('short'), 'weak', /256 bits/],
  ['an extractable key', () => where('open'), 'weak', /not extractable/],
  ['a missing PIN file', () => where('root-1', { pinFile: join(folder, 'none') }), 'missing', /PIN file/],
] as const)('the error names %s', async (_, make, code, message) => {
  await expect(pkcs11Provider(make(), patient)).rejects.toMatchObject({
    name: 'RootKeyError',
    code,
    message,
  });
});

test('a PIN that others can read is not used', async () => {
  chmodSync(token.pinFile, 0o644);
  await expect(pkcs11Provider(where(), patient)).rejects.toMatchObject({ code: 'permissions' });
  chmodSync(token.pinFile, 0o600);
});

test('a lost session is opened again; a removed token is an outage until it is back', async () => {
  const provider = await pkcs11Provider(where(), patient);
  const wrapped = await createKek(provider, ids);
  const { cryptoki } = await openTokenKey(where());
  // Every session of this process ends, as after a restart of the device.
  for (let session = 1; session < 200; session++) await cryptoki.call('closeSession', session);
  expect((await openKek(provider, wrapped, ids)).kekId).toBe('k-1');
  expect(await provider.health()).toEqual({ ok: true });
  for (let session = 1; session < 400; session++) await cryptoki.call('closeSession', session);
  renameSync(token.pinFile, `${token.pinFile}.away`);
  await expect(openKek(provider, wrapped, ids)).rejects.toMatchObject({ name: 'RootKeyError' });
  expect(await provider.health()).toMatchObject({ ok: false, problem: expect.stringContaining('PIN') });
  renameSync(`${token.pinFile}.away`, token.pinFile);
  expect((await openKek(provider, wrapped, ids)).kekId).toBe('k-1');
});

test('a closed provider unwraps nothing', async () => {
  const provider = await pkcs11Provider(where(), patient);
  const wrapped = await createKek(provider, ids);
  provider.close();
  await expect(openKek(provider, wrapped, ids)).rejects.toMatchObject({ code: 'closed' });
});

// Last: a process stays logged in until its last session ends.
test('a refused PIN is not tried again, because tokens lock themselves', async () => {
  const module = await loadCryptoki(token.module);
  for (let session = 1; session < 1000; session++) await module.call('closeSession', session);
  let logins = 0;
  const call = module.call;
  module.call = (name, ...args) => {
    if (name === 'login') logins += 1;
    return call(name, ...args);
  };
  const pinFile = join(folder, 'wrong-pin');
  writeFileSync(pinFile, '9999', { mode: 0o600 });
  for (let attempt = 0; attempt < 4; attempt++)
    await expect(pkcs11Provider(where('root-1', { pinFile }), patient)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('not tried again'),
    });
  expect(logins).toBe(1);
  writeFileSync(pinFile, '1234');
  await pkcs11Provider(where('root-1', { pinFile }), patient);
});
