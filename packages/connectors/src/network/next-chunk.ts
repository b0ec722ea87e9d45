import { once } from 'node:events';
import type { Socket } from 'node:net';
import { ConnectorError } from '../connector-error.ts';

/**
 * Returns the next chunk during TLS negotiation; the socket keeps flowing. Throws ConnectorError
 * (`unreachable`) at the end.
 */
export async function nextChunk(socket: Socket): Promise<Buffer> {
  const broken = new AbortController();
  const onClose = () => broken.abort();
  socket.once('close', onClose);
  socket.once('end', onClose);
  try {
    if (socket.destroyed) broken.abort();
    const [chunk] = (await once(socket, 'data', { signal: broken.signal })) as [Buffer];
    return chunk;
  } catch (cause) {
    throw new ConnectorError('unreachable', 'The connection ended during TLS negotiation.', { cause });
  } finally {
    socket.off('close', onClose);
    socket.off('end', onClose);
  }
}
