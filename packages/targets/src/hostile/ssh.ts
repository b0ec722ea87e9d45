import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import { flood, much, plainBehaviours, type Script } from './hostile-server.ts';
import { offerKeyExchange } from './ssh-kex.ts';

const key = ssh2.utils.generateKeyPairSync('ed25519');
const blob = Buffer.from(key.public.split(' ')[1] ?? '', 'base64');

/** The fingerprint that the connector must have pinned. */
export const hostileSshFingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

type Command = (channel: ssh2.ServerChannel, asked: Asked, socket: Socket) => void;

/** The command of the connector, and the marks around its output. */
interface Asked {
  readonly command: string;
  readonly mark: string;
}

function asked(line: string): Asked {
  const [, command = line, left = '', right = ''] = /\((.*)\); s=.* sh (\w+) (\w+)$/.exec(line) ?? [];
  return { command, mark: `${left}${right}` };
}

/** A server that accepts a login; `onCommand` runs the script for the commands of an account. */
function server(
  onAuthentication: (context: ssh2.AuthContext, client: ssh2.Connection, socket: Socket) => void,
  onCommand: Command,
): Script {
  return (socket) => {
    const host = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (context) => onAuthentication(context, client, socket));
      client.on('session', (accept) => {
        const session = accept();
        session.on('exec', (acceptCommand, _reject, { command }) => {
          const channel = acceptCommand();
          channel.on('error', () => {});
          onCommand(channel, asked(command), socket);
        });
      });
    });
    host.on('error', () => {});
    host.injectSocket(socket);
  };
}

const byPassword = (context: ssh2.AuthContext): void =>
  context.method === 'password' ? context.accept() : context.reject(['password']);

/** Answers the commands of the connector before a change, and runs the script for everything else. */
function afterLogin(username: string, play: Command): Script {
  return server(byPassword, (channel, question, socket) => {
    const known = new Map([
      ['id -un', username],
      ['id -u', '0'],
      ['IFS= read -r n; id -u -- "$n"', '1000'],
      ['date +%F', '2026-01-31'],
    ]).get(question.command);
    if (known !== undefined) return say(channel, question, `${known}\n`);
    channel.write(`\n${question.mark}\n`);
    play(channel, question, socket);
  });
}

/** Writes for ever, as fast as the channel takes it. */
function pour(channel: ssh2.ServerChannel, piece: Buffer | string): void {
  const more = (): void => {
    while (channel.writable) if (!channel.write(piece)) break;
  };
  channel.on('drain', more);
  more();
}

function say(channel: ssh2.ServerChannel, { mark }: Asked, text: string): void {
  channel.write(`\n${mark}\n${text}\n${mark} 0\n`, () => {
    channel.exit(0);
    channel.end();
  });
}

/** Twenty thousand accounts, all of them in each of many groups. */
function accountsTimesGroups(command: string): string {
  if (command === 'getent passwd')
    return Array.from({ length: 15_000 }, (_, at) => `a${at}:x:${at}:7::/:/bin/sh`).join('\n');
  if (command === 'getent group')
    return Array.from({ length: 60_000 }, (_, at) => `g${at}:x:7:a1,a2,a3`).join('\n');
  return '';
}

/** Hostile behaviours of a host at each stage of a session, by name. */
export function sshBehaviours({ username }: { readonly username: string }): Record<string, Script> {
  return {
    ...plainBehaviours('SSH-2.0-hostile\r\n'),
    'greets with a line of 40 kB': (socket) =>
      void socket.resume().write(Buffer.concat([much(' ', 40_000), Buffer.from('\r\n')])),
    'offers group exchange alone, with 32,000 bits': (socket) =>
      offerKeyExchange(socket, 'diffie-hellman-group-exchange-sha256'),
    'offers old key exchange alone': (socket) => offerKeyExchange(socket, 'diffie-hellman-group1-sha1'),
    'offers a long list of unknown key exchanges': (socket) =>
      offerKeyExchange(socket, Array.from({ length: 3_000 }, (_, at) => `none-${at}`).join(',')),
    'asks a thousand questions at login': server(
      (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        const prompts = Array.from({ length: 400 }, () => ({ prompt: 'Password: ', echo: false }));
        context.prompt(prompts, () => context.reject(['keyboard-interactive']));
      },
      () => {},
    ),
    'never answers the login': server(
      (context) => void (context.method === 'none' && context.reject(['password'])),
      () => {},
    ),
    'breaks the encryption after the login began': server(
      (context, _client, socket) =>
        context.method === 'none' ? context.reject(['password']) : flood(socket, () => much('x', 65_536)),
      () => {},
    ),
    'writes for ever': afterLogin(username, (channel) => pour(channel, much('x', 32_768))),
    'writes a line of blanks for ever': afterLogin(username, (channel) => pour(channel, much(' ', 32_768))),
    'asks for passwords for ever': afterLogin(username, (channel) => pour(channel, 'New password: \n')),
    'writes a line in single bytes, and 3 MB more of it': afterLogin(username, (channel, question) => {
      let left = 30_000;
      const next = (): void => {
        left -= 1;
        if (left > 0 && channel.writable) channel.write(' ', next);
        else say(channel, question, 'a'.repeat(3_000_000));
      };
      next();
    }),
    'lists thousands of accounts in thousands of groups': afterLogin(username, (channel, question) =>
      say(channel, question, accountsTimesGroups(question.command)),
    ),
    'never answers a command': afterLogin(username, () => {}),
    'hangs up at a command': afterLogin(username, (_channel, _command, socket) => socket.destroy()),
  };
}
