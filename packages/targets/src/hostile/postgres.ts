import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { flood, much, plainBehaviours, type Script } from './hostile-server.ts';
import { readMessages } from './message-reader.ts';

const ITERATIONS = 4_096;

function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

const cstring = (text: string) => `${text}\0`;
const askForScram = message('R', int32(10), cstring('SCRAM-SHA-256'), '\0');
const readyForQuery = message('Z', 'I');
const failure = (text: string) => message('E', 'SERROR\0', 'VERROR\0', 'C42501\0', 'M', cstring(text), '\0');
const notice = message('N', 'SNOTICE\0', 'C00000\0', 'M', cstring('on and on'), '\0');

function columns(...names: string[]): Buffer {
  const described = names.map((name) =>
    Buffer.concat([
      Buffer.from(cstring(name)),
      int32(0),
      int16(0),
      // text[]: what a driver would parse.
      int32(1009),
      int16(65_535),
      int32(0xffffffff),
      int16(0),
    ]),
  );
  return message('T', int16(names.length), ...described);
}

function row(...values: (Buffer | string)[]): Buffer {
  const cells = values.map((value) => {
    const bytes = Buffer.from(value);
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return message('D', int16(values.length), ...cells);
}

/** The client's first message has no type. */
const startup = (bytes: Buffer) => (bytes.length < 4 ? undefined : bytes.readUInt32BE(0));
const typed = (bytes: Buffer) => (bytes.length < 5 ? undefined : bytes.readUInt32BE(1) + 1);

/** Runs the script after the start-up message of the client. */
function afterStartup(play: (socket: Socket) => void): Script {
  return (socket) => {
    let started = false;
    readMessages(
      socket,
      (bytes) => (started ? typed(bytes) : startup(bytes)),
      () => {
        if (!started) play(socket);
        started = true;
      },
    );
  };
}

/** Knows the password, like a compromised host, and runs the script for each statement after the login. */
function afterLogin(
  user: { readonly username: string; readonly password: string },
  play: (socket: Socket) => void,
): Script {
  return (socket) => {
    let step = 0;
    let clientFirst = '';
    let serverFirst = '';
    const onMessage = (bytes: Buffer): void => {
      step += 1;
      if (step === 1) return void socket.write(askForScram);
      const text = bytes.toString('utf8');
      if (step === 2) {
        clientFirst = text.slice(text.indexOf('n=*'));
        const nonce = `${clientFirst.slice(clientFirst.indexOf('r=') + 2)}${randomBytes(9).toString('base64url')}`;
        serverFirst = `r=${nonce},s=${Buffer.alloc(16, 's').toString('base64')},i=${ITERATIONS}`;
        return void socket.write(message('R', int32(11), serverFirst));
      }
      if (step === 3) {
        const withoutProof = text.slice(5, text.lastIndexOf(',p='));
        const salted = pbkdf2Sync(user.password, Buffer.alloc(16, 's'), ITERATIONS, 32, 'sha256');
        const key = createHmac('sha256', salted).update('Server Key').digest();
        const signature = createHmac('sha256', key)
          .update(`${clientFirst},${serverFirst},${withoutProof}`)
          .digest('base64');
        return void socket.write(
          Buffer.concat([message('R', int32(12), `v=${signature}`), message('R', int32(0)), readyForQuery]),
        );
      }
      if (text.includes('session_user'))
        return void socket.write(
          Buffer.concat([
            columns('session', 'current'),
            row(user.username, user.username),
            message('C', cstring('SELECT 1')),
            readyForQuery,
          ]),
        );
      if (text.startsWith('Q')) play(socket);
    };
    readMessages(socket, (bytes) => (step === 0 ? startup(bytes) : typed(bytes)), onMessage);
  };
}

/** Hostile behaviours of a PostgreSQL server at each stage of a session, by name. */
export function postgresBehaviours(user: {
  readonly username: string;
  readonly password: string;
}): Record<string, Script> {
  const roles = columns(
    'name',
    'superuser',
    'createrole',
    'createdb',
    'replication',
    'bypassrls',
    'canlogin',
  );
  const someRow = row('app', 't', 't', 't', 't', 't', 't');
  const nested = much('{', 900_000);
  return {
    ...plainBehaviours(askForScram),
    'declares a message of a gigabyte': afterStartup((socket) => {
      socket.write(Buffer.concat([Buffer.from('R'), int32(1_073_741_824)]));
      flood(socket, () => much('x', 65_536));
    }),
    'declares a message of no length': afterStartup((socket) => void socket.write(Buffer.from('R\0\0\0\0'))),
    'sends notices for ever': afterStartup((socket) => flood(socket, () => notice)),
    'refuses in a megabyte of blanks': afterStartup(
      (socket) => void socket.write(failure(' '.repeat(900_000))),
    ),
    'wants two thousand million rounds of SCRAM': afterStartup((socket) => {
      socket.write(askForScram);
      socket.on('data', (bytes: Buffer) => {
        const nonce = /r=([^,\0]+)/.exec(bytes.toString('latin1'))?.[1];
        if (nonce) socket.write(message('R', int32(11), `r=${nonce}x,s=c2FsdA==,i=2147483647`));
      });
    }),
    'answers a statement with rows for ever': afterLogin(user, (socket) => {
      socket.write(roles);
      flood(socket, () => someRow);
    }),
    'answers a statement with rows of a megabyte': afterLogin(user, (socket) => {
      socket.write(roles);
      const long = row(much('a', 900_000), 't', 't', 't', 't', 't', 't');
      flood(socket, () => long);
    }),
    'answers a statement with lists in lists': afterLogin(user, (socket) => {
      socket.write(Buffer.concat([columns('name', 'member_of'), row('app', nested)]));
      socket.write(Buffer.concat([message('C', cstring('SELECT 1')), readyForQuery]));
    }),
    'answers a statement with notices for ever': afterLogin(user, (socket) => flood(socket, () => notice)),
    'never answers a statement': afterLogin(user, () => {}),
    'hangs up at a statement': afterLogin(user, (socket) => socket.destroy()),
  };
}
