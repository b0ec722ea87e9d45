import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

/** The content of a secret file without its final newline. Throws when it is missing, empty or not UTF-8. */
export function readSecretFile(file: string): string {
  const bytes = readFileSync(file);
  if (!isUtf8(bytes)) throw new Error(`The secret file ${file} is not UTF-8.`);
  const secret = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (secret === '') throw new Error(`The secret file ${file} is empty.`);
  return secret;
}
