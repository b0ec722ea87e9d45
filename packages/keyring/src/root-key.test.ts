import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkCanary, createCanary } from './canary.ts';
import { createRootKeyFile } from './create-root-key-file.ts';
import { decryptSecret, encryptSecret } from './encrypt-secret.ts';
import { fileRootKeyProvider } from './file-root-key-provider.ts';
import { IntegrityError } from './integrity-error.ts';
import { createKek, openKek, rewrapKek } from './kek.ts';
import { RootKeyError, type RootKeyProvider } from './root-key-provider.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claviger-keyring-'));
  path = join(folder, 'root.key');
});
afterEach(() => rm(folder, { recursive: true }));

async function keyFile(content: string | Buffer, name = 'root.key', mode = 0o400): Promise<string> {
  const at = join(folder, name);
  await writeFile(at, content, { mode: 0o600 });
  await chmod(at, mode);
  return at;
}
async function newProvider(name: string): Promise<RootKeyProvider> {
  return fileRootKeyProvider({ path: await keyFile(randomBytes(32), name) });
}

const ids = { tenantId: 't-1', kekId: 'k-1', version: 1 };

describe('the root key file', () => {
  test('is the same key raw, in hex, in capitals, and with a line end', async () => {
    const key = Buffer.from('00ff10'.padEnd(64, 'a7'), 'hex');
    const hex = key.toString('hex');
    const check = await (await fileRootKeyProvider({ path: await keyFile(key) })).keyCheck();
    for (const text of [hex, hex.toUpperCase(), `${hex}\n`, `${hex}\r\n`]) {
      const provider = await fileRootKeyProvider({ path: await keyFile(text, 'other.key') });
      expect(await provider.keyCheck()).toBe(check);
      expect(provider.id).toBe(`file:${check}`);
      await rm(join(folder, 'other.key'));
    }
  });

  test.each([
    ['empty', ''],
    ['one byte short', randomBytes(31)],
    ['one byte long', randomBytes(33)],
    ['hex cut in half, which has the length of a raw key', randomBytes(16).toString('hex')],
    ['hex cut by one digit', randomBytes(32).toString('hex').slice(1)],
    ['hex with a digit too many', `${randomBytes(32).toString('hex')}0`],
    ['hex with two line ends', `${randomBytes(32).toString('hex')}\n\n`],
    ['hex with a stray letter', `${randomBytes(31).toString('hex')}zz`],
    ['a megabyte', randomBytes(1 << 20)],
  ])('is refused when it is %s; the error names the fix and no key byte', async (_name, content) => {
    const error = await fileRootKeyProvider({ path: await keyFile(content) }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RootKeyError);
    expect(error).toMatchObject({
      code: 'wrong_length',
      message: expect.stringMatching(/32 raw bytes.*Restore/),
    });
    if (content.length > 0) expect((error as Error).message).not.toContain(content.toString().slice(0, 8));
  });

  test('is refused when it is missing, a folder, a FIFO-like device, or zeros', async () => {
    await expect(fileRootKeyProvider({ path })).rejects.toMatchObject({ code: 'missing' });
    await expect(fileRootKeyProvider({ path: folder })).rejects.toMatchObject({ code: 'not_a_file' });
    await expect(fileRootKeyProvider({ path: '/dev/zero' })).rejects.toMatchObject({ code: 'not_a_file' });
    await keyFile(Buffer.alloc(32));
    await expect(fileRootKeyProvider({ path })).rejects.toMatchObject({ code: 'weak' });
  });

  test.each([0o440, 0o404, 0o644, 0o420, 0o401])(
    'is refused with mode %o; the error names chmod',
    async (mode) => {
      await keyFile(randomBytes(32), 'root.key', mode);
      const link = join(folder, 'link.key');
      await symlink(path, link);
      for (const at of [path, link])
        await expect(fileRootKeyProvider({ path: at })).rejects.toMatchObject({
          code: 'permissions',
          message: expect.stringContaining(`chmod 0400 '${at}'`),
        });
    },
  );

  test.runIf(process.geteuid?.() === 0)('is refused when another account owns it', async () => {
    await keyFile(randomBytes(32));
    await chown(path, 12_345, 12_345);
    await expect(fileRootKeyProvider({ path })).rejects.toMatchObject({ code: 'owner' });
  });

  test('is healthy until the file is missing or replaced; the loaded key keeps working', async () => {
    const provider = await newProvider('root.key');
    const wrapped = await provider.wrap(Buffer.from('x'), Buffer.from('aad'));
    expect(await provider.health()).toEqual({ ok: true });
    await rm(path);
    expect(await provider.health()).toMatchObject({
      ok: false,
      problem: expect.stringContaining('no root key'),
    });
    await keyFile(randomBytes(32));
    expect(await provider.health()).toMatchObject({ ok: false, problem: expect.stringContaining('another') });
    expect(await provider.unwrap(wrapped, Buffer.from('aad'))).toEqual(Buffer.from('x'));
  });

  test('is created completely and privately, once, without leftovers', async () => {
    await createRootKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o400);
    const content = await readFile(path, 'utf8');
    expect(content).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await (await fileRootKeyProvider({ path })).health()).toEqual({ ok: true });
    await expect(createRootKeyFile(path)).rejects.toMatchObject({ code: 'exists' });
    expect(await readFile(path, 'utf8')).toBe(content);
    expect(await readdir(folder)).toEqual(['root.key']);
    await expect(createRootKeyFile(join(folder, 'none', 'root.key'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('a KEK', () => {
  test('is unwrapped with its root key and ids, and decrypts what it encrypts', async () => {
    const provider = await newProvider('a');
    const wrapped = await createKek(provider, ids);
    const secretIds = { tenantId: 't-1', entryId: 'e-1', version: 1, purpose: 'password', kekId: 'k-1' };
    const record = encryptSecret(await openKek(provider, wrapped, ids), Buffer.from('s3cret'), secretIds);
    expect(decryptSecret(await openKek(provider, wrapped, ids), record, secretIds).toString()).toBe('s3cret');
    expect(await createKek(provider, ids)).not.toEqual(wrapped);
  });

  test('is not unwrapped with another root key, other ids, or any byte changed', async () => {
    const provider = await newProvider('a');
    const wrapped = await createKek(provider, ids);
    const refused = { name: 'IntegrityError', reason: 'root_refused' };
    await expect(openKek(await newProvider('b'), wrapped, ids)).rejects.toMatchObject(refused);
    for (const lie of [{ tenantId: 't-2' }, { kekId: 'k-2' }, { version: 2 }])
      await expect(openKek(provider, wrapped, { ...ids, ...lie })).rejects.toMatchObject(refused);
    for (let at = 0; at < wrapped.length; at++) {
      const changed = Buffer.from(wrapped);
      changed[at]! ^= 1;
      await expect(openKek(provider, changed, ids)).rejects.toMatchObject(refused);
      await expect(openKek(provider, wrapped.subarray(0, at), ids)).rejects.toMatchObject(refused);
    }
  });

  test('that is not 32 bytes is refused, even when the root key wrapped it', async () => {
    const provider = await newProvider('a');
    const canary = await createCanary(provider);
    await expect(openKek(provider, canary, ids)).rejects.toThrow(IntegrityError);
  });

  test('can be wrapped by another root key and still decrypts its data', async () => {
    const [from, to] = [await newProvider('a'), await newProvider('b')];
    const wrapped = await createKek(from, ids);
    const secretIds = { tenantId: 't-1', entryId: 'e-1', version: 1, purpose: 'password', kekId: 'k-1' };
    const record = encryptSecret(await openKek(from, wrapped, ids), Buffer.from('s3cret'), secretIds);
    const moved = await rewrapKek(from, to, wrapped, ids);
    expect(decryptSecret(await openKek(to, moved, ids), record, secretIds).toString()).toBe('s3cret');
    await expect(openKek(from, moved, ids)).rejects.toMatchObject({ reason: 'root_refused' });
  });
});

describe('the canary', () => {
  test('is decrypted by the key that encrypted it, also after a restart, and by no other', async () => {
    const canary = await createCanary(await newProvider('a'));
    expect(await checkCanary(await fileRootKeyProvider({ path: join(folder, 'a') }), canary)).toBe(true);
    expect(await checkCanary(await newProvider('b'), canary)).toBe(false);
  });

  test('is refused when any byte of it was changed or cut off', async () => {
    const provider = await newProvider('a');
    const canary = await createCanary(provider);
    for (let at = 0; at < canary.length; at++) {
      const changed = Buffer.from(canary);
      changed[at]! ^= 0x10;
      expect(await checkCanary(provider, changed)).toBe(false);
      expect(await checkCanary(provider, canary.subarray(0, at))).toBe(false);
    }
    expect(await checkCanary(provider, await createKek(provider, ids))).toBe(false);
  });

  test('does not mistake an outage of the provider for a wrong key', async () => {
    const provider = await newProvider('a');
    const canary = await createCanary(provider);
    const away: RootKeyProvider = {
      ...provider,
      unwrap: async () => {
        throw new Error('connection refused');
      },
    };
    await expect(checkCanary(away, canary)).rejects.toThrow('connection refused');
  });
});
