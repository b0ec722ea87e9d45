import { ConnectorError } from '../connector-error.ts';
import type { MessageLength } from '../network/guard-stream.ts';

/** A message of PostgreSQL's protocol 3: a type byte and a length that includes itself. */
export const messageLength: MessageLength = (bytes, at) => {
  if (bytes.length - at < 5) return undefined;
  const length = bytes.readUInt32BE(at + 1);
  if (length < 4) throw new ConnectorError('protocol', 'The server does not use the PostgreSQL protocol.');
  return length + 1;
};
