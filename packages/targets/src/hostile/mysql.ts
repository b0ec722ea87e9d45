import type { Socket } from 'node:net';
import { flood, much, plainBehaviours, type Script } from './hostile-server.ts';
import { readMessages } from './message-reader.ts';

function packet(sequence: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.length, 0, 3);
  header[3] = sequence & 0xff;
  return Buffer.concat([header, body]);
}

/** PROTOCOL_41, SECURE_CONNECTION and PLUGIN_AUTH: what a client needs to log in by mysql_native_password. */
const greeting = packet(
  0,
  Buffer.from([10]),
  '8.0.0-hostile\0',
  Buffer.from([1, 0, 0, 0]),
  Buffer.alloc(8, 'a'),
  Buffer.from([0, 0x00, 0x82, 33, 2, 0, 0x08, 0, 21]),
  Buffer.alloc(10),
  Buffer.alloc(12, 'b'),
  '\0mysql_native_password\0',
);
const ok = (sequence: number) => packet(sequence, Buffer.from([0, 0, 0, 2, 0, 0, 0]));
const eof = (sequence: number) => packet(sequence, Buffer.from([0xfe, 0, 0, 2, 0]));
const failure = (sequence: number, text: string) =>
  packet(sequence, Buffer.from([0xff, 0x28, 0x04]), '#42000', text);

function counted(text: Buffer | string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 251) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = Buffer.alloc(4);
  length.writeUIntLE(bytes.length, 1, 3);
  length[0] = 0xfd;
  return Buffer.concat([length, bytes]);
}

function column(sequence: number, name: string): Buffer {
  return packet(
    sequence,
    ...['def', '', '', '', name, name].map(counted),
    Buffer.from([0x0c, 33, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0]),
  );
}

function result(names: readonly string[], rows: readonly (readonly (Buffer | string)[])[]): Buffer {
  const before = [packet(1, Buffer.from([names.length])), ...names.map((name, at) => column(at + 2, name))];
  const first = names.length + 2;
  const sent = rows.map((cells, at) => packet(first + 1 + at, ...cells.map(counted)));
  return Buffer.concat([...before, eof(first), ...sent, eof(first + 1 + rows.length)]);
}

const lengthAt = (bytes: Buffer) => (bytes.length < 4 ? undefined : bytes.readUIntLE(0, 3) + 4);

/** Sends the greeting, and runs the script when the client has sent its proof. */
function atLogin(play: (socket: Socket, sequence: number) => void): Script {
  return (socket) => {
    socket.write(greeting);
    readMessages(socket, lengthAt, (bytes) => play(socket, (bytes[3] ?? 0) + 1));
  };
}

/**
 * Accepts every password, answers the set-up queries of the connector, and runs the script for everything
 * else.
 */
function afterLogin(username: string, play: (socket: Socket) => void): Script {
  return (socket) => {
    let isIn = false;
    socket.write(greeting);
    readMessages(socket, lengthAt, (bytes) => {
      const text = bytes.toString('utf8', 5);
      if (!isIn) {
        isIn = true;
        return void socket.write(ok(2));
      }
      if (text.startsWith('SET SESSION')) return void socket.write(ok(1));
      if (text.includes('CURRENT_USER() AS'))
        return void socket.write(result(['account', 'version'], [[`${username}@%`, '8.0.0-hostile']]));
      play(socket);
    });
  };
}

/** Hostile behaviours of a MySQL server at each stage of a session, by name. */
export function mysqlBehaviours({ username }: { readonly username: string }): Record<string, Script> {
  const long = counted(much('a', 900_000));
  return {
    ...plainBehaviours(greeting),
    'sends a packet of sixteen megabytes after the other': (socket) => {
      socket.resume().write(Buffer.from([0xff, 0xff, 0xff, 0]));
      flood(socket, () => much('\xff', 65_536));
    },
    'refuses in a megabyte of blanks': atLogin(
      (socket) => void socket.write(failure(2, ' '.repeat(900_000))),
    ),
    'asks for another way to log in, for ever': atLogin(
      (socket, sequence) =>
        void socket.write(
          packet(sequence, Buffer.from([0xfe]), 'mysql_native_password\0', Buffer.alloc(20, 'c'), '\0'),
        ),
    ),
    'asks for the password in clear': atLogin(
      (socket, sequence) =>
        void socket.write(packet(sequence, Buffer.from([0xfe]), 'mysql_clear_password\0')),
    ),
    'asks for a file': afterLogin(
      username,
      (socket) => void socket.write(packet(1, Buffer.from([0xfb]), '/etc/passwd')),
    ),
    'declares two thousand million columns': afterLogin(username, (socket) => {
      socket.write(packet(1, Buffer.from([0xfe, 0, 0, 0, 0x7f, 0, 0, 0, 0])));
      let sequence = 1;
      flood(socket, () => {
        sequence += 1;
        return column(sequence, 'c');
      });
    }),
    'answers a statement with rows for ever': afterLogin(username, (socket) => {
      socket.write(Buffer.concat([packet(1, Buffer.from([1])), column(2, 'user'), eof(3)]));
      let sequence = 3;
      flood(socket, () => {
        sequence += 1;
        return packet(sequence, counted('app'));
      });
    }),
    'answers a statement with rows of a megabyte': afterLogin(username, (socket) => {
      socket.write(Buffer.concat([packet(1, Buffer.from([1])), column(2, 'user'), eof(3)]));
      let sequence = 3;
      flood(socket, () => {
        sequence += 1;
        return packet(sequence, long);
      });
    }),
    'lies about the lengths inside a row': afterLogin(username, (socket) => {
      const lie = packet(4, Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]), 'abc');
      socket.write(Buffer.concat([packet(1, Buffer.from([1])), column(2, 'user'), eof(3), lie, eof(5)]));
    }),
    'never answers a statement': afterLogin(username, () => {}),
    'hangs up at a statement': afterLogin(username, (socket) => socket.destroy()),
  };
}
