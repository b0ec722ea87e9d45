import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** A reserved port of 127.0.0.1 on which nothing needs to listen. */
export interface ReservedPort extends Disposable {
  readonly port: number;
}

/**
 * Reserves a port that is free for TCP and UDP, for a server that stops and starts again. It is below the
 * ports of outgoing connections and those that Claviger uses. Until it is disposed or the process ends, no
 * other target on this machine gets it, because each holds its number on another loopback address.
 */
export async function reservePort(): Promise<ReservedPort> {
  for (;;) {
    const port = randomInt(10_000, 18_000);
    const held = await listen(port, '127.0.0.2');
    if (held === 'taken') continue;
    if (await isFree(port)) return { port, [Symbol.dispose]: () => void held?.close() };
    held?.close();
  }
}

/** Returns undefined if this machine has no such address. */
async function listen(port: number, host: string): Promise<Server | 'taken' | undefined> {
  const server = createServer().unref();
  try {
    await once(server.listen({ port, host, exclusive: true }), 'listening');
    return server;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL' ? undefined : 'taken';
  }
}

async function isFree(port: number): Promise<boolean> {
  const tcp = await listen(port, '127.0.0.1');
  if (tcp === 'taken' || tcp === undefined) return false;
  tcp.close();
  await once(tcp, 'close');
  const udp = createSocket('udp4');
  try {
    udp.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(udp, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    udp.close();
  }
}
