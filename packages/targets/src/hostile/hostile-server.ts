import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** The behaviour of a hostile target on a connection. */
export type Script = (socket: Socket) => void;

/** Starts a TCP server that runs a script on each connection; ignores errors of connections. */
export async function playTo(
  script: Script,
): Promise<{ readonly port: number; readonly connections: () => number } & AsyncDisposable> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    script(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Sends the pieces endlessly, as fast as they are read. */
export function flood(socket: Socket, piece: () => Buffer | string): void {
  const more = (): void => {
    while (socket.writable) if (!socket.write(piece())) break;
  };
  socket.on('drain', more);
  more();
}

/** Sends bytes one by one, then repeats the last one endlessly. */
export function drip(socket: Socket, bytes: Buffer | string, everyMs = 5): void {
  const all = Buffer.from(bytes);
  let at = 0;
  const timer = setInterval(() => {
    socket.write(all.subarray(at, at + 1));
    at = Math.min(at + 1, all.length - 1);
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
}

/** The same piece, repeated to about this many bytes. */
export function much(piece: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, piece);
}

const block = (piece: string) => {
  const bytes = much(piece, 65_536);
  return () => bytes;
};

/** Hostile answers for every protocol; `greeting` is a valid beginning that the client accepts. */
export function plainBehaviours(greeting: Buffer | string): Record<string, Script> {
  return {
    'says nothing': (socket) => void socket.resume(),
    'hangs up at once': (socket) => socket.destroy(),
    'drips its greeting for ever': (socket) => drip(socket.resume(), greeting),
    'floods zeros': (socket) => flood(socket.resume(), block('\0')),
    'floods blanks': (socket) => flood(socket.resume(), block(' ')),
    'floods lines': (socket) => flood(socket.resume(), block('220 hello\r\n')),
    'greets, and floods noise': (socket) => {
      socket.resume().write(greeting);
      flood(socket, block('\xff\x00\x17\x80'));
    },
    'greets, and says no more': (socket) => void socket.resume().write(greeting),
  };
}
