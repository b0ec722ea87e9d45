import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { link, readFile, rm } from 'node:fs/promises';
import { writeAtomically } from './write-atomically.ts';

const exists = (path: string) =>
  readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      // An unreadable file is not missing: a new key would make the data under the former one unreadable.
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );

/** Creates a new file and never replaces one, even if two processes try at the same time. */
async function createOnce(path: string, content: string): Promise<void> {
  const candidate = `${path}.${randomBytes(6).toString('hex')}.new`;
  await writeAtomically(candidate, content);
  try {
    await link(candidate, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(candidate, { force: true });
  }
}

/** Ensures that a file with `bytes` random bytes, in hexadecimal, exists (0600). Never overwrites. */
export async function ensureSecretFile(path: string, bytes = 32): Promise<void> {
  if (await exists(path)) return;
  await createOnce(path, `${randomBytes(bytes).toString('hex')}\n`);
}

/**
 * Ensures that an Ed25519 private key (PKCS#8 PEM, 0600) and its public key (SPKI PEM) exist. The public key
 * is derived each time, so that the two always match. Never overwrites a private key.
 */
export async function ensureEd25519KeyFiles(privateFile: string, publicFile: string): Promise<void> {
  if (!(await exists(privateFile))) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await createOnce(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  }
  const publicKey = createPublicKey(await readFile(privateFile));
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const current = await readFile(publicFile, 'utf8').catch(() => undefined);
  if (current !== pem) await writeAtomically(publicFile, pem, 0o644);
}
