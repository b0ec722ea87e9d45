import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { ed25519Hash, ed25519Signature } from './ed25519.ts';

test("the hash equals the example in MariaDB's documentation", () => {
  expect(ed25519Hash('secret')).toBe('ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY');
});

test('a signature verifies under the public key that the server stores', () => {
  const challenge = Buffer.alloc(32, 7);
  const publicKey = Buffer.from(ed25519Hash('Correct-Horse-7'), 'base64');
  const signature = ed25519Signature('Correct-Horse-7', challenge);
  expect(ed25519.verify(signature, challenge, publicKey)).toBe(true);
  expect(ed25519.verify(signature, Buffer.alloc(32, 8), publicKey)).toBe(false);
});
