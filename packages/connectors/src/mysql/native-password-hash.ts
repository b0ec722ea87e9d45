import { createHash } from 'node:crypto';

/**
 * The hash that the server stores under `mysql_native_password`: two rounds of SHA-1, as the protocol
 * defines. Sending it instead of the password keeps the clear password out of the server's logs.
 */
export function nativePasswordHash(password: string): string {
  const once = createHash('sha1').update(password, 'utf8').digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}
