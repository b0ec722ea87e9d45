import { createHmac } from 'node:crypto';
import { CliProblem } from '@claviger/api-client/cli-problem';
import * as auth from '@claviger/contracts/auth/v1/auth';
import type { Person } from './person.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_SECONDS = 30;

/**
 * Gives somebody a second factor, as an authenticator app would; their session is a new one from then on,
 * which has proved it.
 */
export async function takeSecondFactor(person: Person): Promise<void> {
  const { secret } = await person.api.call(auth.AuthService.setupMfa, {});
  const prove = () => person.api.call(auth.AuthService.verifyMfa, { code: codeOf(secret) });
  const { accessToken } = await prove().catch((error: unknown) => {
    // A step may end between making a code and its check: then the next one counts.
    if (error instanceof CliProblem) return prove();
    throw error;
  });
  person.useToken(accessToken);
}

/** The code that an authenticator app shows now (RFC 6238: SHA-1, 30 seconds, six digits). */
function codeOf(secret: string): string {
  const bits = [...secret].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1_000 / STEP_SECONDS)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = mac.at(-1)! & 15;
  return ((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).toString().padStart(6, '0');
}
