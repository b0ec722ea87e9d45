import { createHmac, timingSafeEqual } from 'node:crypto';

/** RFC 6238 with the parameters that every authenticator app supports: SHA-1, six digits, 30 seconds. */
const STEP_SECONDS = 30;
const DIGITS = 6;
/** Accepted steps before and after the current one, because clocks of phones differ. */
const WINDOW = 1;
export const TOTP_SECRET_BYTES = 20;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The code of one step (RFC 4226 5.3). */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = mac[mac.length - 1]! & 0x0f;
  const value = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS;
  return value.toString().padStart(DIGITS, '0');
}

export const stepAt = (seconds: number): number => Math.floor(seconds / STEP_SECONDS);

/**
 * Returns the step whose code this is, or undefined. Compares every step of the window, so that the time does
 * not reveal which one matches.
 */
export function matchingStep(secret: Uint8Array, code: string, nowSeconds: number): number | undefined {
  const given = Buffer.from(code);
  let found: number | undefined;
  for (let step = stepAt(nowSeconds) - WINDOW; step <= stepAt(nowSeconds) + WINDOW; step += 1) {
    const expected = Buffer.from(totpCode(secret, step));
    if (given.length === expected.length && timingSafeEqual(given, expected)) found = step;
  }
  return found;
}

/** RFC 4648 without padding. */
export function base32(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      out += BASE32[(value >>> (bits - 5)) & 31]!;
      bits -= 5;
      value &= (1 << bits) - 1;
    }
  }
  return bits > 0 ? out + BASE32[(value << (5 - bits)) & 31]! : out;
}

/** The content of the QR code for an authenticator app. */
export function otpauthUri(secret: string, username: string): string {
  const label = `Claviger:${encodeURIComponent(username)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=Claviger&algorithm=SHA1&digits=${DIGITS}&period=${STEP_SECONDS}`;
}
