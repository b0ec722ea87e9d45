import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mountedSecretProvider } from './mounted-secret-provider.ts';

let mount: string;
let path: string;
let version = 0;
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'claviger-mount-'));
  path = join(mount, 'root.key');
});
afterEach(() => rm(mount, { recursive: true }));

/** As the kubelet does it: a new folder, a link to it, and a rename of that link over the former one. */
async function project(content: Buffer | undefined, mode = 0o440): Promise<void> {
  version += 1;
  const folder = `..2026_${version}`;
  await mkdir(join(mount, folder));
  if (content !== undefined) {
    await writeFile(join(mount, folder, 'root.key'), content);
    await chmod(join(mount, folder, 'root.key'), mode);
  }
  await symlink(folder, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
  // Exists from the second time on.
  await symlink('..data/root.key', path).catch(() => {});
}

const key = randomBytes(32);
const aad = Buffer.from('aad');
const mounted = async (content = key, mode?: number) => {
  await project(content, mode);
  return mountedSecretProvider({ path });
};

test('a key behind the links of a mount, readable by its group, is accepted', async () => {
  const provider = await mounted();
  const wrapped = await provider.wrap(Buffer.from('x'), aad);
  expect((await provider.unwrap(wrapped, aad)).toString()).toBe('x');
  expect(provider.id).toBe(`kubernetes-secret:${await provider.keyCheck()}`);
  expect(await provider.health()).toEqual({ ok: true });
});

test.each([0o444, 0o460, 0o644])(
  'mode %o, readable by all or writable by the group, is refused',
  async (mode) => {
    await expect(mounted(key, mode)).rejects.toMatchObject({
      code: 'permissions',
      message: expect.stringContaining('defaultMode: 0440'),
    });
  },
);

test.runIf(process.geteuid?.() === 0)('a file of another account is refused', async () => {
  await project(key);
  await chown(path, 12_345, 12_345);
  await expect(mountedSecretProvider({ path })).rejects.toMatchObject({ code: 'owner' });
});

test('after a change of the mount the same key works, and another one works only after the former is restored', async () => {
  const provider = await mounted();
  const wrapped = await provider.wrap(Buffer.from('x'), aad);
  await project(Buffer.from(key.toString('hex')));
  expect((await provider.unwrap(wrapped, aad)).toString()).toBe('x');
  await project(randomBytes(32));
  await expect(provider.unwrap(wrapped, aad)).rejects.toMatchObject({ code: 'refused' });
  expect(await provider.health()).toMatchObject({ ok: false, problem: expect.stringContaining('another') });
  await project(key);
  expect((await provider.unwrap(wrapped, aad)).toString()).toBe('x');
});

test('a withdrawn secret unwraps nothing until it is restored', async () => {
  const provider = await mounted();
  const wrapped = await provider.wrap(Buffer.from('x'), aad);
  await project(undefined);
  await expect(provider.unwrap(wrapped, aad)).rejects.toMatchObject({
    name: 'RootKeyError',
    code: 'missing',
  });
  expect(await provider.health()).toMatchObject({ ok: false });
  await project(key);
  expect((await provider.unwrap(wrapped, aad)).toString()).toBe('x');
});

test('a closed provider unwraps nothing', async () => {
  const provider = await mounted();
  const wrapped = await provider.wrap(Buffer.from('x'), aad);
  provider.close();
  await expect(provider.unwrap(wrapped, aad)).rejects.toMatchObject({ code: 'closed' });
});
