import { createHmac } from 'node:crypto';
import type { RestClient } from './rest-client.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The present TOTP code (RFC 6238), implemented independently of the services. `steps` shifts the time. */
export function totp(base32: string, steps = 0): string {
  const bits = [...base32.replace(/=+$/, '')]
    .map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = mac.at(-1)! & 15;
  return ((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).toString().padStart(6, '0');
}

export interface SecondFactor {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

/**
 * Gives the caller a confirmed second factor; its session has proved it from now on. Today's code stays
 * unspent.
 */
export async function enrolSecondFactor(client: RestClient): Promise<SecondFactor> {
  const { secret } = (await client.must('GET', '/api/v1/auth/mfa/setup')) as { secret: string };
  // The code of the step before: when a step ends on the way it is two steps old, and refused once.
  const first = await client.post('/api/v1/auth/mfa/verify', { code: totp(secret, -1) });
  const confirmed =
    first.status === 200
      ? first.body
      : await client.must('POST', '/api/v1/auth/mfa/verify', { code: totp(secret, -1) });
  return { secret, recoveryCodes: confirmed.recoveryCodes as string[] };
}
