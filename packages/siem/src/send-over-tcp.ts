import { once } from 'node:events';
import type { Socket } from 'node:net';
import { OutboundError, openSocket, startTls } from '@claviger/outbound';
import { kernelAcknowledged } from './kernel-acknowledged.ts';
import type { SyslogSink } from './sink.ts';
import type { Way } from './way.ts';

/**
 * Sends messages over a connection of their own, and resolves when the sink has read them to the end: every
 * byte is acknowledged by its kernel, our side is closed, and then it closes its own. A sink that dies with
 * something unread resets the connection instead. One that dies with everything read, and something of it in
 * its memory only, closes like any other: that much is beyond TCP, and beyond TLS with sinks that send no
 * close_notify, as rsyslog.
 */
export async function sendOverTcp(sink: SyslogSink, messages: readonly Buffer[], way: Way): Promise<void> {
  const { policy, connectTimeoutMs, signal } = way;
  const opened = await openSocket(sink.host, sink.port, { allow: policy, connectTimeoutMs }, signal);
  const plain = opened.socket;
  // Whatever breaks is seen by the one who waits; unheard it would end the process.
  plain.on('error', () => {});
  let socket: Socket = plain;
  try {
    if (sink.transport === 'syslog-tls')
      socket = await startTls(
        plain,
        sink.serverName || sink.host,
        sink.ca ? { mode: 'ca', ca: sink.ca } : { mode: 'system' },
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
 * `closed` resolves when the sink closes in good order after `expect` was called, and rejects when it ends in
 * any other way.
 */
function endOf(socket: Socket): { readonly closed: Promise<void>; expect(): void } {
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  // It may reject while nobody waits for it.
  closed.catch(() => {});
  let expected = false;
  const broken = (code: string, cause?: unknown) =>
    reject(
      new OutboundError('unreachable', `The connection broke before the sink had everything (${code}).`, {
        cause,
        sent: true,
        hint: 'A syslog sink must read to the end and then close its side of the connection.',
      }),
    );
  socket.on('error', (error: NodeJS.ErrnoException) =>
    error instanceof OutboundError ? broken('time-out', error) : broken(error.code ?? 'network error', error),
  );
  socket.on('end', () => (expected ? resolve() : broken('closed too early')));
  socket.on('close', () => broken('closed'));
  // What a sink says is of no interest, but its end is seen only behind it.
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
  // Called when everything before it has been handed to the kernel.
  await new Promise<void>((resolve) => {
    socket.write('', () => resolve());
  });
}
