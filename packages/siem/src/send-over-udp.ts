import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { OutboundError, resolveTarget } from '@claviger/outbound';
import type { SyslogDestination } from './destination.ts';
import type { Way } from './way.ts';

/** Datagrams in one burst before a pause: more at once would overflow the receiver's buffers. */
const BURST = 20;
const PAUSE_MS = 5;

/** Sends datagrams. Detects an unused port only if the network reports it, and never a lost datagram. */
export async function sendOverUdp(
  destination: SyslogDestination,
  datagrams: readonly Buffer[],
  way: Way,
): Promise<void> {
  const target = await resolveTarget(destination.host, destination.port, way.policy);
  const [address] = target.addresses;
  const socket = createSocket(isIPv6(address!) ? 'udp6' : 'udp4');
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure ??= error;
  });
  try {
    socket.connect(destination.port, address!);
    await once(socket, 'connect', { signal: way.signal });
    for (const [index, datagram] of datagrams.entries()) {
      way.signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        socket.send(datagram, (error) => {
          failure ??= error ?? undefined;
          resolve();
        });
      });
      if (index % BURST === BURST - 1) await pause(PAUSE_MS);
      if (failure) break;
    }
    // The network may report an unused port only after the last datagram.
    await pause(PAUSE_MS);
    if (failure) throw failure;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'network error';
    throw new OutboundError('unreachable', `The datagrams could not be sent (${code}).`, {
      cause,
      sent: true,
      hint: 'Check that the destination is running and receives UDP on this port.',
    });
  } finally {
    socket.close();
  }
}
