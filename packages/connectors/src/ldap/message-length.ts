import { ConnectorError } from '../connector-error.ts';
import type { MessageLength } from '../network/guard-stream.ts';

/** An LDAP message: a BER sequence of definite length. */
export const messageLength: MessageLength = (bytes, at) => {
  const available = bytes.length - at;
  if (available > 0 && bytes[at] !== 0x30)
    throw new ConnectorError('protocol', 'The server does not use the LDAP protocol.');
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return first + 2;
  const count = first & 0x7f;
  if (count === 0 || count > 4)
    throw new ConnectorError('protocol', 'The server sends a message of indefinite length.');
  return available < 2 + count ? undefined : bytes.readUIntBE(at + 2, count) + 2 + count;
};
