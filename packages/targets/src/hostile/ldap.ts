import type { Socket } from 'node:net';
import { answer, attribute, ber, lengthAt, outcome } from '../ldap/ber.ts';
import { flood, much, plainBehaviours, type Script } from './hostile-server.ts';
import { readMessages } from './message-reader.ts';

const entry = (...attributes: Buffer[]) => ber(0x64, ber(0x04, 'uid=app,dc=x'), ber(0x30, ...attributes));

const BIND = 0x60;
const BOUND = 0x61;
const SEARCH_DONE = 0x65;
const CONTROLS = 0xa0;

/** Calls `play` for each request, with its encoded id and the tag of the operation. */
function onRequests(play: (socket: Socket, id: Buffer, asked: number) => void): Script {
  return (socket) =>
    readMessages(socket, lengthAt, (bytes) => {
      const first = bytes[1] ?? 0;
      const at = first < 0x80 ? 2 : 2 + (first & 0x7f);
      const end = at + 2 + (bytes[at + 1] ?? 0);
      play(socket, bytes.subarray(at, end), bytes[end] ?? 0);
    });
}

const atLogin = (play: (socket: Socket, id: Buffer) => void) => onRequests((socket, id) => play(socket, id));

/** Accepts every password, and runs the script for every other request. */
const afterLogin = (play: (socket: Socket, id: Buffer) => void) =>
  onRequests((socket, id, asked) => {
    if (asked === BIND) socket.write(answer(id, outcome(BOUND, 0)));
    else play(socket, id);
  });

/** Hostile behaviours of a directory at each stage of a session, by name. */
export function ldapBehaviours(): Record<string, Script> {
  const groups = (count: number) =>
    entry(
      attribute('uid', ['app']),
      attribute(
        'memberOf',
        Array.from({ length: count }, (_, at) => `cn=group-${at},dc=x`),
      ),
    );
  return {
    ...plainBehaviours(answer(ber(0x02, Buffer.from([1])), outcome(BOUND, 14))),
    'refuses in a megabyte of blanks': atLogin(
      (socket, id) => void socket.write(answer(id, outcome(BOUND, 49, much(' ', 900_000)))),
    ),
    'declares a message of a gigabyte': atLogin((socket) => {
      socket.write(Buffer.from([0x30, 0x84, 0x40, 0, 0, 0]));
      flood(socket, () => much('x', 65_536));
    }),
    'declares a message without a length': atLogin((socket) => {
      socket.write(Buffer.from([0x30, 0x80]));
      flood(socket, () => much('x', 65_536));
    }),
    'lies about the lengths inside a message': atLogin(
      (socket, id) => void socket.write(ber(0x30, id, Buffer.from([BOUND, 0x84, 0x7f, 0xff, 0xff, 0xff, 1]))),
    ),
    'answers what was not asked, for ever': atLogin((socket) => {
      const stray = answer(ber(0x02, Buffer.from([0x7f])), outcome(BOUND, 0));
      flood(socket, () => stray);
    }),
    'answers with entries for ever': afterLogin((socket, id) => {
      const one = answer(id, entry(attribute('uid', ['app'])));
      flood(socket, () => one);
    }),
    'answers with pages for ever': afterLogin((socket, id) => {
      const cookie = ber(0x30, ber(0x02, Buffer.from([0])), ber(0x04, 'more'));
      const control = ber(0x30, ber(0x04, '1.2.840.113556.1.4.319'), ber(0x04, cookie));
      socket.write(answer(id, entry(attribute('uid', ['app']))));
      socket.write(answer(id, outcome(SEARCH_DONE, 0), ber(CONTROLS, control)));
    }),
    'answers with accounts in thousands of groups': afterLogin((socket, id) => {
      const one = answer(id, groups(20_000));
      for (let sent = 0; sent < 15; sent += 1) socket.write(one);
      socket.write(answer(id, outcome(SEARCH_DONE, 0)));
    }),
    'answers with names of blanks': afterLogin((socket, id) => {
      socket.write(
        answer(
          id,
          entry(attribute('uid', ['app']), attribute('memberOf', [much(' ', 400_000), much(', ', 400_000)])),
        ),
      );
      socket.write(answer(id, outcome(SEARCH_DONE, 0)));
    }),
    'never answers after the login': afterLogin(() => {}),
    'hangs up after the login': afterLogin((socket) => socket.destroy()),
  };
}
