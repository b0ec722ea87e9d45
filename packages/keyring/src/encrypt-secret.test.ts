import { createHash, generateKeySync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unwrapBytes, wrapBytes } from './aes-gcm.ts';
import type { SecretIds } from './content-key.ts';
import {
  decryptSecret,
  type EncryptedSecret,
  encryptSecret,
  MAX_SECRET_BYTES,
  rewrapDek,
} from './encrypt-secret.ts';
import { IntegrityError, type IntegrityReason } from './integrity-error.ts';
import { Kek, KekDisposedError } from './kek.ts';
import { lengthPrefixed } from './length-prefixed.ts';

const newKek = (tenantId = 't-1', kekId = 'k-1', bytes = randomBytes(32)): Kek =>
  new Kek({ tenantId, kekId, version: 1 }, bytes);

const kek = newKek();
const ids: SecretIds = { tenantId: 't-1', entryId: 'e-1', version: 3, purpose: 'password', kekId: 'k-1' };
const secret = Buffer.from('correct horse battery staple');
const record = encryptSecret(kek, secret, ids);
const BUFFERS = ['wrappedDek', 'iv', 'ciphertext', 'tag', 'commitment', 'blobSha256'] as const;

function reasonOf(open: () => unknown): IntegrityReason {
  try {
    open();
  } catch (error) {
    if (error instanceof IntegrityError) return error.reason;
    throw error;
  }
  throw new Error('it opened');
}

/** The record after a change by an intruder with database access: the unkeyed hash is recomputed. */
function rehashed(changed: EncryptedSecret): EncryptedSecret {
  const { iv, ciphertext, tag, commitment } = changed;
  const hash = createHash('sha256').update(iv).update(ciphertext).update(tag).update(commitment).digest();
  return { ...changed, blobSha256: hash };
}

test('encrypted secrets of 0 bytes to 64 KiB are decrypted', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (plaintext) => {
      expect(decryptSecret(kek, encryptSecret(kek, plaintext, ids), ids)).toEqual(Buffer.from(plaintext));
    }),
  );
  for (const size of [0, 1, 65_536]) {
    const plaintext = randomBytes(size);
    expect(decryptSecret(kek, encryptSecret(kek, plaintext, ids), ids)).toEqual(plaintext);
  }
});

test('every encryption has its own DEK, IV and ciphertext, and does not change the plaintext', () => {
  const other = encryptSecret(kek, secret, ids);
  for (const field of ['dekId', 'wrappedDek', 'iv', 'ciphertext', 'tag', 'commitment'] as const)
    expect(other[field]).not.toEqual(record[field]);
  expect(secret.toString()).toBe('correct horse battery staple');
});

test('the audited hash is the hash of the stored blob', () => {
  expect(rehashed(record).blobSha256).toEqual(record.blobSha256);
});

describe('every change of a stored field is detected', () => {
  test.each(BUFFERS)('every bit of %s', (field) => {
    for (let bit = 0; bit < record[field].length * 8; bit++) {
      const bytes = Buffer.from(record[field]);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const changed = { ...record, [field]: bytes };
      expect(() => decryptSecret(kek, changed, ids)).toThrow(IntegrityError);
      // The hash has no key and does not stop an intruder, so the rest must hold without it.
      if (field !== 'blobSha256')
        expect(() => decryptSecret(kek, rehashed(changed), ids)).toThrow(IntegrityError);
    }
  });

  test('every bit of the DEK id', () => {
    for (let at = 0; at < record.dekId.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const code = String.fromCharCode(record.dekId.charCodeAt(at) ^ (1 << bit));
        const dekId = record.dekId.slice(0, at) + code + record.dekId.slice(at + 1);
        expect(() => decryptSecret(kek, { ...record, dekId }, ids)).toThrow(IntegrityError);
      }
    }
  });

  test('every field cut, emptied or extended', () => {
    for (const field of BUFFERS) {
      const bytes = record[field];
      for (const other of [
        ...Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length)),
        bytes.subarray(1),
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.concat([Buffer.alloc(1), bytes]),
      ]) {
        const changed = { ...record, [field]: other };
        expect(() => decryptSecret(kek, changed, ids)).toThrow(IntegrityError);
        if (field !== 'blobSha256')
          expect(() => decryptSecret(kek, rehashed(changed), ids)).toThrow(IntegrityError);
      }
    }
  });

  test.each([12, 8, 4, 0])('H-126 a tag cut to %i bytes is malformed', (length) => {
    const changed = rehashed({ ...record, tag: record.tag.subarray(0, length) });
    expect(reasonOf(() => decryptSecret(kek, changed, ids))).toBe('malformed');
  });

  test('H-126 an IV of one byte and an empty blob', () => {
    expect(reasonOf(() => decryptSecret(kek, rehashed({ ...record, iv: Buffer.alloc(1) }), ids))).toBe(
      'malformed',
    );
    const empty = rehashed({ ...record, ciphertext: Buffer.alloc(0) });
    expect(reasonOf(() => decryptSecret(kek, empty, ids))).toBe('commitment_mismatch');
  });

  test.each<[keyof SecretIds, SecretIds[keyof SecretIds]]>([
    ['entryId', 'e-2'],
    ['version', 2],
    ['version', 4],
    ['purpose', 'private-key'],
  ])('another %s', (name, value) => {
    expect(reasonOf(() => decryptSecret(kek, record, { ...ids, [name]: value }))).toBe('cek_refused');
  });

  test('another tenant or KEK, with the key of either', () => {
    for (const [name, value] of [
      ['tenantId', 't-2'],
      ['kekId', 'k-2'],
    ] as const) {
      const others = { ...ids, [name]: value };
      expect(reasonOf(() => decryptSecret(kek, record, others))).toBe('wrong_kek');
      const same = Buffer.alloc(32, 9);
      const own = newKek('t-1', 'k-1', Buffer.from(same));
      const twin = newKek(others.tenantId, others.kekId, Buffer.from(same));
      expect(reasonOf(() => decryptSecret(twin, encryptSecret(own, secret, ids), others))).toBe(
        'cek_refused',
      );
    }
    expect(reasonOf(() => decryptSecret(newKek(), record, ids))).toBe('cek_refused');
    expect(() => encryptSecret(kek, secret, { ...ids, tenantId: 't-2' })).toThrow(IntegrityError);
  });

  test('any field replaced by that of another record, and the whole record', () => {
    const others = { ...ids, entryId: 'e-2' };
    const other = encryptSecret(kek, Buffer.from('another horse battery staple'), others);
    const older = encryptSecret(kek, secret, { ...ids, version: 2 });
    for (const from of [other, older]) {
      expect(() => decryptSecret(kek, from, ids)).toThrow(IntegrityError);
      for (const field of [...BUFFERS, 'dekId'] as const) {
        const mixed = { ...record, [field]: from[field] };
        expect(() => decryptSecret(kek, mixed, ids)).toThrow(IntegrityError);
        if (field !== 'blobSha256')
          expect(() => decryptSecret(kek, rehashed(mixed), ids)).toThrow(IntegrityError);
      }
      const keyAndId = { ...record, wrappedDek: from.wrappedDek, dekId: from.dekId };
      expect(() => decryptSecret(kek, keyAndId, ids)).toThrow(IntegrityError);
    }
    // Same ids, another encryption: key and id are valid, so only the blob itself shows the difference.
    const again = encryptSecret(kek, secret, ids);
    const swapped = { ...record, wrappedDek: again.wrappedDek, dekId: again.dekId };
    expect(reasonOf(() => decryptSecret(kek, swapped, ids))).toBe('commitment_mismatch');
  });

  test('adjacent ids are not confused', () => {
    expect(lengthPrefixed(['ab', 'c'])).not.toEqual(lengthPrefixed(['a', 'bc']));
    const sealed = encryptSecret(kek, secret, { ...ids, entryId: 'e', purpose: '1password' });
    expect(() => decryptSecret(kek, sealed, { ...ids, entryId: 'e1', purpose: 'password' })).toThrow(
      IntegrityError,
    );
  });
});

test('errors and keys print no secrets', () => {
  const bytes = Buffer.from('0123456789abcdef0123456789abcdef');
  const printed = newKek('t-1', 'k-1', Buffer.from(bytes));
  for (const text of [inspect(printed, { depth: 9, showHidden: true }), JSON.stringify(printed)]) {
    expect(text).not.toContain(bytes.toString());
    expect(text).not.toContain(bytes.toString('hex'));
  }
  const error = new IntegrityError('commitment_mismatch');
  expect(Object.keys(error).sort()).toEqual(['name', 'reason']);
  expect(error.cause).toBeUndefined();
});

test('a KEK wipes its bytes, and cannot be used after it is disposed', () => {
  const bytes = randomBytes(32);
  const short = newKek('t-1', 'k-1', bytes);
  expect(bytes.equals(Buffer.alloc(32))).toBe(true);
  short.dispose();
  expect(() => encryptSecret(short, secret, ids)).toThrow(KekDisposedError);
  expect(() => decryptSecret(short, record, ids)).toThrow(KekDisposedError);
  for (const length of [0, 16, 31, 33])
    expect(() => newKek('t-1', 'k-1', randomBytes(length))).toThrow(IntegrityError);
});

test('empty ids and secrets beyond the limit are refused by encryption', () => {
  for (const lie of [
    { entryId: '' },
    { purpose: '' },
    { entryId: 'a\ud800' },
    { version: -1 },
    { version: 1.5 },
  ])
    expect(() => encryptSecret(kek, secret, { ...ids, ...lie })).toThrow(TypeError);
  expect(() => encryptSecret(kek, Buffer.alloc(MAX_SECRET_BYTES + 1), ids)).toThrow(RangeError);
});

describe('changing the KEK', () => {
  const next = newKek('t-1', 'k-2');
  const nextIds = { ...ids, kekId: 'k-2' };
  const moved = { ...record, wrappedDek: rewrapDek(kek, next, record, ids) };

  test('keeps the secret readable, under the new KEK only, with the same blob', () => {
    expect(decryptSecret(next, moved, nextIds)).toEqual(secret);
    expect(moved.blobSha256).toEqual(record.blobSha256);
    expect(reasonOf(() => decryptSecret(kek, moved, ids))).toBe('cek_refused');
    expect(reasonOf(() => decryptSecret(kek, moved, nextIds))).toBe('wrong_kek');
    expect(reasonOf(() => decryptSecret(next, record, nextIds))).toBe('cek_refused');
  });

  test('refuses a record that cannot be decrypted, and the KEK of another tenant', () => {
    expect(reasonOf(() => rewrapDek(kek, newKek('t-2', 'k-9'), record, ids))).toBe('wrong_kek');
    expect(reasonOf(() => rewrapDek(kek, next, moved, ids))).toBe('cek_refused');
    const again = encryptSecret(kek, secret, ids);
    const broken = { ...record, wrappedDek: again.wrappedDek, dekId: again.dekId };
    expect(reasonOf(() => rewrapDek(kek, next, broken, ids))).toBe('commitment_mismatch');
    expect(reasonOf(() => rewrapDek(kek, next, { ...record, iv: Buffer.alloc(0) }, ids))).toBe('malformed');
  });
});

test('wrapped data is not unwrapped with another key, AAD, format or length', () => {
  const key = generateKeySync('aes', { length: 256 });
  const aad = Buffer.from('aad');
  const wrapped = wrapBytes(key, secret, aad);
  expect(unwrapBytes(key, wrapped, aad)).toEqual(secret);
  expect(unwrapBytes(key, wrapped, Buffer.from('other'))).toBeUndefined();
  expect(unwrapBytes(generateKeySync('aes', { length: 256 }), wrapped, aad)).toBeUndefined();
  for (let length = 0; length < wrapped.length; length++)
    expect(unwrapBytes(key, wrapped.subarray(0, length), aad)).toBeUndefined();
  for (let at = 0; at < wrapped.length; at++) {
    const changed = Buffer.from(wrapped);
    changed[at]! ^= 0x80;
    expect(unwrapBytes(key, changed, aad)).toBeUndefined();
  }
});
