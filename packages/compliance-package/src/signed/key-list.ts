import { createPublicKey, type KeyObject } from 'node:crypto';
import { canonicalJson, keyIdOf } from '@claviger/merkle';
import { z } from 'zod';

const keyListSchema = z.array(
  z.strictObject({ keyId: z.string().regex(/^[0-9a-f]{16}$/), purpose: z.string(), publicKey: z.string() }),
);

/** Returns the text of the list of public keys in a package. */
export function keyListText(keys: readonly KeyObject[]): string {
  return canonicalJson(
    keys.map((key) => ({
      keyId: keyIdOf(key),
      purpose: 'tree-head',
      publicKey: key.export({ type: 'spki', format: 'pem' }).toString(),
    })),
  );
}

/** Parses such a list; undefined if any part of it is malformed. */
export function parseKeyList(text: string): KeyObject[] | undefined {
  try {
    const parsed = keyListSchema.parse(JSON.parse(text));
    const keys = parsed.map((item) => createPublicKey(item.publicKey));
    return keyListText(keys) === text && keys.every((key) => key.asymmetricKeyType === 'ed25519')
      ? keys
      : undefined;
  } catch {
    return undefined;
  }
}
