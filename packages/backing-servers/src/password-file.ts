import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';

/**
 * Reads the password in a file: its only line without the line end, including blanks. Throws if the file is
 * not UTF-8, has several lines or none, and the errors of `readFile`.
 */
export async function readPasswordFile(file: string): Promise<string> {
  const bytes = await readFile(file);
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new Error(`${file} is not UTF-8 text: write the password as UTF-8`);
  const [password = '', ...more] = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r?\n/);
  if (more.some((line) => line !== ''))
    throw new Error(`${file} has several lines: it must hold the password alone`);
  if (password === '') throw new Error(`${file} is empty: it must hold a password`);
  return password;
}

/** The URL with the password of the file, when one is named. */
export async function withPasswordOf(text: string, file: string | undefined): Promise<URL> {
  const url = new URL(text);
  // Characters with a meaning in URLs are percent-encoded.
  if (file !== undefined) url.password = encodeURIComponent(await readPasswordFile(file));
  return url;
}
