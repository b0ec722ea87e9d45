import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { emptyRoot } from './hashes.ts';
import { type SignedReceipt, signReceipt, verifyReceipt } from './receipt.ts';
import { keyIdOf } from './signing.ts';
import { parseSignedTreeHead, type SignedTreeHead, signTreeHead, verifyTreeHead } from './tree-head.ts';

const signer = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const head = {
  tenantId: 't-1',
  size: 42,
  rootHash: 'ab'.repeat(32),
  timestamp: '2026-03-01T12:00:00.000Z',
  previousRootHash: emptyRoot().toString('hex'),
};
const receipt = {
  eventId: 'e-1',
  tenantId: 't-1',
  leafHash: 'cd'.repeat(32),
  action: 'vault.entry.retrieve',
  issuedAt: '2026-03-01T12:00:00.000Z',
};
const signedHead = signTreeHead(head, signer.privateKey);
const signedReceipt = signReceipt(receipt, signer.privateKey);

test('a key id is the start of the SHA-256 of the SPKI, for both halves of a pair', () => {
  const der = signer.publicKey.export({ type: 'spki', format: 'der' });
  expect(keyIdOf(signer.publicKey)).toBe(createHash('sha256').update(der).digest('hex').slice(0, 16));
  expect(keyIdOf(signer.privateKey)).toBe(keyIdOf(signer.publicKey));
});

test('a signature covers the domain, a line feed and the canonical JSON, so that others can check it', () => {
  const bytes = Buffer.from(`claviger/tree-head/v1\n${canonicalJson(head)}`);
  expect(signedHead.signature).toBe(sign(null, bytes, signer.privateKey).toString('base64url'));
});

describe.each([
  [
    'tree head',
    signedHead,
    (signed: object, keys: Parameters<typeof verifyTreeHead>[1]) =>
      verifyTreeHead(signed as SignedTreeHead, keys),
  ],
  [
    'receipt',
    signedReceipt,
    (signed: object, keys: Parameters<typeof verifyReceipt>[1]) =>
      verifyReceipt(signed as SignedReceipt, keys),
  ],
] as const)('a signed %s', (_name, signed, verify) => {
  test('verifies under its key, in an array or a map, also after a JSON round trip', () => {
    expect(verify(signed, [stranger.publicKey, signer.publicKey])).toBe(true);
    expect(verify(signed, new Map([[signed.keyId, signer.publicKey]]))).toBe(true);
    expect(verify(JSON.parse(JSON.stringify(signed)), [signer.publicKey])).toBe(true);
  });

  test('does not verify under another key, even one filed under its key id', () => {
    expect(verify(signed, [])).toBe(false);
    expect(verify(signed, [stranger.publicKey])).toBe(false);
    expect(verify(signed, new Map([[signed.keyId, stranger.publicKey]]))).toBe(false);
    expect(
      verify({ ...signed, keyId: keyIdOf(stranger.publicKey) }, [signer.publicKey, stranger.publicKey]),
    ).toBe(false);
  });

  test('does not verify with any character of any field changed', () => {
    for (const [name, value] of Object.entries(signed)) {
      if (typeof value === 'number') {
        expect(verify({ ...signed, [name]: value + 1 }, [signer.publicKey])).toBe(false);
        continue;
      }
      for (let at = 0; at < value.length; at++) {
        const other = String.fromCharCode(value.charCodeAt(at) ^ 1);
        const changed = value.slice(0, at) + other + value.slice(at + 1);
        expect(verify({ ...signed, [name]: changed }, [signer.publicKey])).toBe(false);
      }
    }
  });

  test('does not verify with a field removed or added, or another spelling of the signature', () => {
    for (const name of Object.keys(signed)) {
      const { [name as keyof typeof signed]: _gone, ...rest } = signed;
      expect(verify(rest, [signer.publicKey])).toBe(false);
    }
    expect(verify({ ...signed, note: 'approved' }, [signer.publicKey])).toBe(false);
    for (const spelling of [
      `${signed.signature}==`,
      `${signed.signature} `,
      signed.signature.slice(0, -1),
      '',
    ])
      expect(verify({ ...signed, signature: spelling }, [signer.publicKey])).toBe(false);
  });
});

test('the signature of a tree head is not valid for a receipt', () => {
  const signature = { keyId: signedHead.keyId, signature: signedHead.signature };
  expect(verifyReceipt({ ...receipt, ...signature }, [signer.publicKey])).toBe(false);
});

test('a head or receipt with an invalid or unknown field is not signed', () => {
  for (const lie of [
    { size: -1 },
    { size: 1.5 },
    { rootHash: 'AB'.repeat(32) },
    { rootHash: 'ab' },
    { timestamp: '2026-03-01T12:00:00Z' },
    { timestamp: '2026-02-30T12:00:00.000Z' },
    { tenantId: '' },
    { tenantId: 'a\ud800' },
    { note: 'unsigned' },
  ])
    expect(() => signTreeHead({ ...head, ...lie }, signer.privateKey)).toThrow(TypeError);
  expect(() => signReceipt({ ...receipt, leafHash: '' }, signer.privateKey)).toThrow(TypeError);
});

test('only Ed25519 keys sign and verify', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(() => signTreeHead(head, ec.privateKey)).toThrow(/Ed25519/);
  expect(() => signTreeHead(head, signer.publicKey)).toThrow(/Ed25519/);
  expect(verifyTreeHead({ ...signedHead, keyId: keyIdOf(ec.publicKey) }, [ec.publicKey])).toBe(false);
});

test('parsing accepts a valid head and refuses anything else', () => {
  expect(parseSignedTreeHead(JSON.parse(JSON.stringify(signedHead)))).toEqual(signedHead);
  for (const other of [null, undefined, 1, 'head', [], [signedHead], {}, head])
    expect(parseSignedTreeHead(other)).toBeUndefined();
});
