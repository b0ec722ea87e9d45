import type { Socket } from 'node:net';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { TARGET_LIMITS } from '../limits.ts';

/**
 * Returns the length of the message that begins at `at`, including its header; undefined while the header is
 * incomplete. Throws ConnectorError for an invalid header.
 */
export type MessageLength = (bytes: Buffer, at: number) => number | undefined;

/**
 * Filters what a driver reads from its connection: counts the bytes, rejects a message by its declared length
 * before the driver allocates memory for it, and passes on whole messages only. Drivers that reassemble a
 * message at each chunk would take quadratic time for single bytes; here each byte is copied a fixed number
 * of times. Exceeding a limit destroys the connection with a ConnectorError, which the returned function also
 * returns, for drivers that report another error.
 */
export function guardStream(stream: Socket, messageLength?: MessageLength): () => ConnectorError | undefined {
  const deliver = stream.push.bind(stream);
  const take = messageLength === undefined ? (chunk: Buffer) => chunk : wholeMessages(messageLength);
  let received = 0;
  let violation: ConnectorError | undefined;
  stream.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    // The driver cannot use the rest of an incomplete message.
    if (chunk === null) return deliver(null);
    received += chunk.length;
    try {
      if (received > TARGET_LIMITS.bytes) throw tooMuch(`more than ${TARGET_LIMITS.bytes} bytes`);
      const whole = take(chunk);
      return whole === undefined || deliver(whole, encoding);
    } catch (error) {
      violation = asConnectorError(error);
      stream.destroy(violation);
      return false;
    }
  };
  return () => violation;
}

/**
 * Returns the whole messages that a chunk completes, as one buffer, and keeps the rest until it is complete.
 */
export function wholeMessages(messageLength: MessageLength): (chunk: Buffer) => Buffer | undefined {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  /** Length of the message in `kept`; undefined while its header is incomplete. */
  let wanted: number | undefined;
  let messages = 0;
  return (chunk) => {
    kept.push(chunk);
    keptBytes += chunk.length;
    if (wanted !== undefined && keptBytes < wanted) return undefined;
    const bytes = kept.length === 1 ? chunk : Buffer.concat(kept);
    let at = 0;
    wanted = declaredLength(messageLength, bytes, at);
    while (wanted !== undefined && at + wanted <= bytes.length) {
      at += wanted;
      messages += 1;
      if (messages > TARGET_LIMITS.messages) throw tooMuch(`more than ${TARGET_LIMITS.messages} messages`);
      wanted = declaredLength(messageLength, bytes, at);
    }
    const rest = bytes.subarray(at);
    kept = rest.length === 0 ? [] : [rest];
    keptBytes = rest.length;
    return at === 0 ? undefined : bytes.subarray(0, at);
  };
}

function declaredLength(messageLength: MessageLength, bytes: Buffer, at: number): number | undefined {
  const length = messageLength(bytes, at);
  if (length !== undefined && length > TARGET_LIMITS.messageBytes)
    throw tooMuch(`a message of ${length} bytes; the limit is ${TARGET_LIMITS.messageBytes}`);
  return length;
}

function tooMuch(what: string): ConnectorError {
  return new ConnectorError('protocol', `The target sends ${what}: the connection was closed.`);
}
