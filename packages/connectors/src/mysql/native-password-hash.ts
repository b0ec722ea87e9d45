import { createHash } from 'node:crypto';

/**
 * What the server keeps of a password under `mysql_native_password`: two rounds of SHA-1, which is the server's choice. Sent in
 * place of the password, it keeps the clear one out of the server's logs.
 */
export function nativePasswordHash(password: string): string {
  const once = createHash('sha1').update(password, 'utf8').digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}
