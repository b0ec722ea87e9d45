import { createHash, randomBytes } from 'node:crypto';

const ROUNDS = 5_000;
const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Maps three bytes of the digest to four characters, in the order of the scheme. */
const order = Array.from({ length: 21 }, (_, at) =>
  [at, at + 21, at + 42].map((_, turn, bytes) => bytes[(turn + at) % 3] ?? 0),
);

/**
 * Returns the hash of a password in the format of /etc/shadow (`$6$`, SHA-512, 5000 rounds), which every
 * Linux since 2007 supports. `salt`: up to 16 characters of `./0-9A-Za-z`.
 */
export function sha512Crypt(password: string, salt = newSalt()): string {
  const key = Buffer.from(password, 'utf8');
  const saltBytes = Buffer.from(salt, 'latin1');
  const inner = digest(key, saltBytes, key);
  const start: Buffer[] = [key, saltBytes, repeated(inner, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) start.push(bits & 1 ? inner : key);
  let state = digest(...start);
  const p = repeated(digest(...Array.from({ length: key.length }, () => key)), key.length);
  const saltTimes = 16 + (state[0] ?? 0);
  const s = repeated(digest(...Array.from({ length: saltTimes }, () => saltBytes)), saltBytes.length);
  for (let round = 0; round < ROUNDS; round += 1) {
    const odd = round % 2 === 1;
    state = digest(
      odd ? p : state,
      ...(round % 3 === 0 ? [] : [s]),
      ...(round % 7 === 0 ? [] : [p]),
      odd ? state : p,
    );
  }
  const text = order.map(([a, b, c]) => characters(state, [a, b, c], 4)).join('');
  return `$6$${salt}$${text}${characters(state, [undefined, undefined, 63], 2)}`;
}

function digest(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Repeats the digest to `length` bytes. */
function repeated(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

function characters(bytes: Buffer, places: readonly (number | undefined)[], count: number): string {
  let value = 0;
  for (const place of places) value = value * 256 + (place === undefined ? 0 : (bytes[place] ?? 0));
  let text = '';
  for (let at = 0; at < count; at += 1, value >>= 6) text += alphabet[value & 63];
  return text;
}

function newSalt(): string {
  return [...randomBytes(16)].map((byte) => alphabet[byte & 63]).join('');
}
