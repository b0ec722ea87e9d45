import type { Socket } from 'node:net';
import { startTls, type TlsTrust } from '@claviger/outbound';
import { ConnectorError } from '../connector-error.ts';
import { nextChunk } from '../network/next-chunk.ts';

/** SSLRequest: its length, and a number that is not a protocol version. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Negotiates TLS before the driver exists, so that the driver receives only checked messages. The answer is
 * one byte; further data has arrived unprotected and is refused. Throws ConnectorError, or OutboundError
 * from the handshake.
 */
export async function negotiateTls(socket: Socket, host: string, trust: TlsTrust): Promise<Socket> {
  socket.write(SSL_REQUEST);
  const answer = await nextChunk(socket);
  socket.pause();
  if (answer.length !== 1 || answer[0] !== 0x53)
    throw new ConnectorError('untrusted', 'The server does not offer TLS.', {
      hint: "Set ssl = on in the server's postgresql.conf.",
    });
  return startTls(socket, host, trust);
}
