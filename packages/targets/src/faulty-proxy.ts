import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { reservePort } from './reserve-port.ts';

/**
 * When a fault begins: after a number of bytes from the client, after the client sent this text, or when a
 * callback returns true.
 */
export interface Trigger {
  readonly afterBytes?: number;
  readonly afterMarker?: string;
  /**
   * Called before each part of an answer of the target is forwarded. If it reads the state of the target, the
   * connection breaks exactly between a change and its answer, even for encrypted traffic.
   */
  readonly when?: () => boolean | Promise<boolean>;
}

/**
 * - `ok`: passes everything on;
 * - `refuse`: the port is closed;
 * - `blackhole`: from the trigger on (at once without one) the target's answers are swallowed, the connection
 *   stays open;
 * - `reset`: at the trigger the client's connection is reset;
 * - `delay`: each piece of the target's answers comes `delayMs` later.
 */
export type FaultMode =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refuse' }
  | ({ readonly kind: 'blackhole' } & Trigger)
  | ({ readonly kind: 'reset' } & Trigger)
  | { readonly kind: 'delay'; readonly delayMs: number };

export interface FaultyProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Applies to new connections and to the triggers of open ones. */
  setMode(mode: FaultMode): Promise<void>;
  /** Number of accepted connections so far. */
  connections(): number;
  /** Number of injected faults so far. */
  faults(): number;
  stop(): Promise<void>;
}

/**
 * Starts a TCP proxy on a free loopback port in front of `target`. It forwards everything until a fault is
 * set.
 */
export async function startFaultyProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<FaultyProxy> {
  let mode: FaultMode = { kind: 'ok' };
  let accepted = 0;
  let faults = 0;
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    // Connections break on purpose.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };

  const server: Server = createServer((client) => {
    accepted += 1;
    track(client);
    const upstream = connect({ host: target.host, port: target.port });
    track(upstream);
    let sentBytes = 0;
    let sentText = '';
    let faulty = false;

    client.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
      sentText = (sentText + chunk.toString('latin1')).slice(-65_536);
      upstream.write(chunk);
    });
    client.on('close', () => upstream.destroy());

    const triggered = async (trigger: Trigger): Promise<boolean> => {
      if (faulty) return true;
      const { afterBytes, afterMarker, when } = trigger;
      if (afterBytes === undefined && afterMarker === undefined && when === undefined) return true;
      if (afterBytes !== undefined && sentBytes >= afterBytes) return true;
      if (afterMarker !== undefined && sentText.includes(afterMarker)) return true;
      return when !== undefined && (await when());
    };
    const pass = async (chunk: Buffer | undefined): Promise<void> => {
      const now = mode;
      if ((now.kind === 'blackhole' || now.kind === 'reset') && (await triggered(now))) {
        if (!faulty) faults += 1;
        faulty = true;
        if (now.kind === 'reset') client.resetAndDestroy();
        return;
      }
      if (now.kind === 'delay') await pause(now.delayMs);
      if (chunk === undefined) client.end();
      else client.write(chunk);
    };
    // Keeps delayed answers in order.
    let order: Promise<void> = Promise.resolve();
    const enqueue = (chunk?: Buffer) => {
      order = order
        .then(() => pass(chunk))
        .catch((error: Error) => {
          client.destroy(error);
        });
    };
    upstream.on('data', (chunk: Buffer) => enqueue(chunk));
    upstream.on('close', () => enqueue());
  });

  const reserved = await reservePort();
  const { port } = reserved;
  const listen = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const stop = async () => {
    await close();
    reserved[Symbol.dispose]();
  };
  await listen();
  return {
    host: '127.0.0.1',
    port,
    async setMode(next) {
      mode = next;
      if (next.kind === 'refuse') await close();
      else if (!server.listening) await listen();
    },
    connections: () => accepted,
    faults: () => faults,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
