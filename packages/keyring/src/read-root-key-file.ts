import { KEY_BYTES } from './aes-gcm.ts';
import { readPrivateFile } from './private-file.ts';
import { RootKeyError } from './root-key-provider.ts';

// 64 hex digits and a line end of one or two bytes; one more byte shows that the file is too long.
const MAX_FILE_BYTES = 2 * KEY_BYTES + 2;
const RESTORE =
  'Restore the original file from its backup. A new key cannot decrypt what an earlier one encrypted.';

/** The 32 bytes of a root key file. The caller wipes them. @throws {RootKeyError} */
export async function readRootKeyFile(
  path: string,
  { groupMayRead = false }: { groupMayRead?: boolean } = {},
): Promise<Buffer> {
  const content = await readPrivateFile(path, {
    what: 'root key',
    maxBytes: MAX_FILE_BYTES,
    groupMayRead,
    missing: RESTORE,
  });
  try {
    return decodeKey(path, content);
  } finally {
    content.fill(0);
  }
}

function decodeKey(path: string, content: Buffer): Buffer {
  const key = Buffer.allocUnsafeSlow(KEY_BYTES);
  const hexDigits = countHexDigits(content);
  if (hexDigits === 2 * KEY_BYTES && isLineEnd(content.subarray(hexDigits))) {
    for (let i = 0; i < KEY_BYTES; i++)
      key[i] = hexValue(content[2 * i]!) * 16 + hexValue(content[2 * i + 1]!);
  } else if (content.length === KEY_BYTES && hexDigits < KEY_BYTES) {
    // 32 bytes that are all hex digits are half of a hex file, not a raw key.
    content.copy(key);
  } else {
    const found = content.length > MAX_FILE_BYTES ? `more than ${MAX_FILE_BYTES}` : `${content.length}`;
    throw new RootKeyError(
      'wrong_length',
      `The root key file ${path} has ${found} bytes instead of 32 raw bytes or 64 hex digits: truncated or another file. ${RESTORE}`,
    );
  }
  if (key.every((byte) => byte === key[0]))
    throw new RootKeyError(
      'weak',
      `The root key file ${path} contains one repeated byte, not a key. ${RESTORE}`,
    );
  return key;
}

function countHexDigits(content: Buffer): number {
  const end = content.findIndex((byte) => hexValue(byte) < 0);
  return end < 0 ? content.length : end;
}

function isLineEnd(rest: Buffer): boolean {
  return rest.length === 0 || (rest.length <= 2 && /^\r?\n$/.test(rest.toString('latin1')));
}

/** Value of a hex digit; -1 for any other byte. Avoids strings, which could not be wiped. */
function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
