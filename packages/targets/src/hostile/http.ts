import type { Socket } from 'node:net';
import { drip, flood, much, plainBehaviours, type Script } from './hostile-server.ts';

/** Runs the script when the first bytes of a request arrive. */
function atRequest(play: (socket: Socket) => void): Script {
  return (socket) => {
    socket.once('data', () => {
      socket.resume();
      play(socket);
    });
  };
}

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}`;
const json = 'content-type: application/json';
const complete = (body: Buffer | string): Buffer =>
  Buffer.concat([
    Buffer.from(`${head(json, `content-length: ${Buffer.byteLength(body)}`)}\r\n`),
    Buffer.from(body),
  ]);

/** Hostile behaviours of an API server at each stage of an answer, by name. */
export function httpBehaviours(): Record<string, Script> {
  return {
    ...plainBehaviours('HTTP/1.1 200 OK\r\n'),
    'sends interim answers for ever': atRequest((socket) =>
      flood(socket, () => 'HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n'),
    ),
    'sends headers for ever': atRequest((socket) => {
      socket.write(head());
      flood(socket, () => 'x-more: and more\r\n');
    }),
    'sends a header of a megabyte': atRequest((socket) => {
      socket.write(`${head()}x-long: `);
      flood(socket, () => much('a', 65_536));
    }),
    'sends a body for ever': atRequest((socket) => {
      socket.write(`${head(json)}\r\n`);
      flood(socket, () => much('a', 65_536));
    }),
    'sends chunks for ever': atRequest((socket) => {
      socket.write(`${head(json, 'transfer-encoding: chunked')}\r\n`);
      flood(socket, () => '1;extension=more\r\na\r\n');
    }),
    'declares a body of a gigabyte, and stops': atRequest(
      (socket) => void socket.write(`${head(json, 'content-length: 1073741824')}\r\n{`),
    ),
    'drips a body': atRequest((socket) => drip(socket, `${head(json, 'content-length: 9999')}\r\n{ `)),
    'answers in two lengths': atRequest(
      (socket) => void socket.write(`${head(json, 'content-length: 2', 'content-length: 3')}\r\n{}`),
    ),
    'answers with lists in lists': atRequest((socket) => void socket.end(complete(much('[', 260_000)))),
    'answers with objects in objects': atRequest(
      (socket) => void socket.end(complete('{"user":'.repeat(30_000))),
    ),
    'answers with blanks': atRequest((socket) => void socket.end(complete(much(' ', 260_000)))),
    'redirects to itself': atRequest(
      (socket) => void socket.end('HTTP/1.1 302 Found\r\nlocation: /api/me\r\ncontent-length: 0\r\n\r\n'),
    ),
    'turns to another protocol': atRequest((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
      flood(socket, () => much('a', 65_536));
    }),
  };
}
