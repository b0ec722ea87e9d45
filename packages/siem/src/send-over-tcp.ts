import { once } from 'node:events';
import type { Socket } from 'node:net';
import { OutboundError, openSocket, startTls } from '@claviger/outbound';
import type { SyslogDestination } from './destination.ts';
import { kernelAcknowledged } from './kernel-acknowledged.ts';
import type { Way } from './way.ts';

/**
 * Sends messages over their own connection. Resolves when the destination has read them to the end: its
 * kernel has acknowledged every byte, our side is closed, and then it closes its side. A destination that
 * dies with unread bytes resets the connection. One that dies after reading everything, but before storing
 * it, closes normally: TCP cannot detect this, nor can TLS if no close_notify is sent, as with rsyslog.
 */
export async function sendOverTcp(
  destination: SyslogDestination,
  messages: readonly Buffer[],
  way: Way,
): Promise<void> {
  const { policy, connectTimeoutMs, signal } = way;
  const opened = await openSocket(
    destination.host,
    destination.port,
    { allow: policy, connectTimeoutMs },
    signal,
  );
  const plain = opened.socket;
  // The code that awaits the socket reports its errors; without a listener they would end the process.
  plain.on('error', () => {});
  let socket: Socket = plain;
  try {
    if (destination.transport === 'syslog-tls')
      socket = await startTls(
        plain,
        destination.serverName || destination.host,
        destination.ca ? { mode: 'ca', ca: destination.ca } : { mode: 'system' },
      );
    const ending = endOf(socket);
    await Promise.race([ending.closed, writeAll(socket, messages)]);
    await Promise.race([ending.closed, kernelAcknowledged(plain, signal)]);
    ending.expect();
    socket.end();
    await ending.closed;
  } finally {
    socket.destroy();
    plain.destroy();
  }
}

/**
 * `closed` resolves when the destination closes normally after `expect` was called; it rejects on any other
 * end.
 */
function endOf(socket: Socket): { readonly closed: Promise<void>; expect(): void } {
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  // It may reject before anything awaits it.
  closed.catch(() => {});
  let expected = false;
  const broken = (code: string, cause?: unknown) =>
    reject(
      new OutboundError(
        'unreachable',
        `The connection broke before the destination had everything (${code}).`,
        {
          cause,
          sent: true,
          hint: 'A syslog destination must read to the end and then close its side of the connection.',
        },
      ),
    );
  socket.on('error', (error: NodeJS.ErrnoException) =>
    error instanceof OutboundError ? broken('time-out', error) : broken(error.code ?? 'network error', error),
  );
  socket.on('end', () => (expected ? resolve() : broken('closed too early')));
  socket.on('close', () => broken('closed'));
  // Discards received data: the end of the stream is reported only after all data was read.
  socket.resume();
  return {
    closed,
    expect: () => {
      expected = true;
    },
  };
}

async function writeAll(socket: Socket, messages: readonly Buffer[]): Promise<void> {
  for (const message of messages) if (!socket.write(message)) await once(socket, 'drain');
  // The callback runs when everything before it has been passed to the kernel.
  await new Promise<void>((resolve) => {
    socket.write('', () => resolve());
  });
}
