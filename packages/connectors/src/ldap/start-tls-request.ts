import type { Socket } from 'node:net';
import { BerReader, BerWriter } from 'ldapts';
import { ConnectorError } from '../connector-error.ts';
import { nextChunk } from '../network/next-chunk.ts';

const EXTENDED_RESPONSE = 0x78;

function request(): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(1);
  writer.startSequence(0x77);
  writer.writeString('1.3.6.1.4.1.1466.20037', 0x80);
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

/**
 * Negotiates StartTLS before the LDAP client exists, so that no unprotected data can count as a later answer:
 * anything after the one answer is an error. Throws ConnectorError (`untrusted`, `unreachable`).
 */
export async function requestStartTls(socket: Socket): Promise<void> {
  socket.write(request());
  let received = Buffer.alloc(0);
  while (messageLength(received) === undefined || received.length < (messageLength(received) ?? 0)) {
    if (received.length > 16_384) throw refusal();
    const chunk = await nextChunk(socket);
    received = Buffer.concat([received, chunk]);
  }
  socket.pause();
  if (received.length !== messageLength(received) || !isConsent(received)) throw refusal();
}

function isConsent(message: Buffer): boolean {
  try {
    const reader = new BerReader(message);
    reader.readSequence();
    return (
      reader.readInt() === 1 &&
      reader.readSequence(EXTENDED_RESPONSE) !== null &&
      reader.readEnumeration() === 0
    );
  } catch {
    // The answer is not LDAP.
    return false;
  }
}

/**
 * Returns the length of the message that begins here, including its header; undefined while it is incomplete.
 */
function messageLength(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return first + 2;
  const count = first & 0x7f;
  if (count === 0 || count > 3) throw refusal();
  return bytes.length < 2 + count ? undefined : bytes.readUIntBE(2, count) + 2 + count;
}

function refusal(): ConnectorError {
  return new ConnectorError('untrusted', 'The server refused StartTLS.', {
    hint: 'Use LDAPS (startTls: false, port 636), or enable StartTLS on the server.',
  });
}
