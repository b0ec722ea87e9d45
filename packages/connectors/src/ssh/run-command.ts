import { randomBytes } from 'node:crypto';
import type { ClientChannel, ExecOptions } from 'ssh2';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { endedBeforeCommand } from './ended-before-command.ts';
import type { SshSession } from './session.ts';

const outputLimit = 4 * 1024 * 1024;
/** Longer than a prompt, and short enough to be searched at each packet. */
const RECENT_CHARACTERS = 512;
/** Between two questions for a session to a host that allows no further one yet. */
const ASK_AGAIN_MS = 50;
/** What is kept of the words of a shell that ends before it runs the command. */
const ASIDE_CHARACTERS = 2_000;

/**
 * What a command wrote and how it ended; `exitCode` is undefined when the connection ended first.
 */
export interface CommandResult {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/**
 * Called with the last characters that were written since it last returned true; may write to the command or
 * end its input.
 */
export type Converse = (recent: string, channel: ClientChannel) => boolean;

interface CommandInput {
  /**
   * Asked for when it is about to be sent; what it throws, the command's failure to start, ends the command.
   */
  readonly stdin?: () => Promise<string>;
  readonly converse?: Converse;
  /** Sent when the command has begun, before it is conversed with. */
  readonly first?: string;
}

/**
 * Runs a command of the POSIX shell, whatever the login shell of the account. `command` is fixed text without
 * secrets and without quotes `'`, `\`, `!` and line ends, which login shells read differently; names and
 * secrets go through `stdin` or `converse`. Its standard output is answered; `2>&1` adds its error output.
 *
 * Login shells and their start-up files may print anything, before and after. Only what stands between two
 * marks counts. A mark is random and stands in the command line in two halves, so that no echo of that line
 * looks like an answer. Nothing is sent to the command before its mark has come.
 *
 * Throws ConnectorError when the command surely did not run: `not_possible` and `not_now` where the host
 * ended the session before, `unreachable` where the connection ended. A connection that ends later leaves
 * `exitCode` undefined.
 */
export function runCommand(
  session: SshSession,
  command: string,
  input: CommandInput = {},
): Promise<CommandResult> {
  const [left, right] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')];
  const script = `echo; echo "$1$2"; (${command}); s=$?; echo; echo "$1$2 $s"`;
  const line = `env LC_ALL=C sh -c '${script}' sh ${left} ${right}`;
  return execute(session, line, {}, (channel) => new Framed(`${left}${right}`, channel, input));
}

/**
 * Runs a command on a terminal without echo, where the host starts its own program in place of the command:
 * so sshd has a password changed that it takes no longer. What the terminal shows is answered as it is.
 */
export function runOnTerminal(
  session: SshSession,
  command: string,
  converse: Converse,
): Promise<CommandResult> {
  const terminal: ExecOptions = { pty: { term: 'dumb', modes: { ECHO: 0 } }, env: { LC_ALL: 'C' } };
  return execute(session, command, terminal, (channel) => new Unframed(channel, converse));
}

/** Reads what a channel brings. */
interface Reader {
  /** Answers the result as soon as it is complete. */
  read(text: string): CommandResult | undefined;
  /** Of its error output. */
  readAside(text: string): void;
  /** `code` is undefined when the connection ended first or a signal ended the command. */
  end(code: number | undefined): CommandResult;
}

function execute(
  session: SshSession,
  line: string,
  options: ExecOptions,
  readerOf: (channel: ClientChannel) => Reader,
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const onLost = () =>
    reject(new ConnectorError('unreachable', 'The connection ended before the command could be started.'));
  session.client.once('close', onLost);
  const open = () =>
    session.client.exec(line, options, (error, channel) => {
      // A host may allow one session at a time, and counts a former one until its shell has ended, which it does
      // not tell. The time of the operation limits how often it is asked.
      if (error !== undefined && session.hasOpened && 'reason' in error)
        return void setTimeout(() => attempt(open), ASK_AGAIN_MS);
      session.client.off('close', onLost);
      if (error !== undefined) {
        const message = 'The host opens no session for this account.';
        const hint = 'Look at MaxSessions in sshd_config: with 0, accounts log in and can do nothing.';
        return reject(new ConnectorError('not_possible', message, { hint, cause: error }));
      }
      // At once: the next packet, with all of a short command's output, may already be in hand.
      attempt(() => follow(session, channel, readerOf(channel)).then(resolve, reject));
    });
  const attempt = (step: () => unknown) => {
    try {
      step();
    } catch (problem) {
      reject(asConnectorError(problem));
    }
  };
  attempt(open);
  return promise;
}

function follow(session: SshSession, channel: ClientChannel, reader: Reader): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  let length = 0;
  let exitCode: number | undefined;
  const take = (chunk: string, read: (text: string) => void) => {
    length += chunk.length;
    if (length > outputLimit) channel.destroy();
    else read(chunk);
  };
  session.hasOpened = true;
  channel.setEncoding('utf8').on('data', (chunk: string) =>
    take(chunk, (text) => {
      const result = reader.read(text);
      if (result === undefined) return;
      // Whatever the login shell does now: nobody waits for it.
      resolve(result);
      channel.close();
    }),
  );
  channel.stderr
    .setEncoding('utf8')
    .on('data', (chunk: string) => take(chunk, (text) => reader.readAside(text)));
  channel.on('exit', (code: number | null) => {
    exitCode = code ?? undefined;
  });
  // A broken connection also closes the channel.
  channel.on('error', () => {});
  const onClose = () => {
    session.client.off('close', onClose);
    try {
      resolve(reader.end(exitCode));
    } catch (problem) {
      reject(asConnectorError(problem));
    }
  };
  channel.on('close', onClose);
  session.client.on('close', onClose);
  return promise;
}

/** What stands between two marks. */
class Framed implements Reader {
  readonly #mark: string;
  readonly #channel: ClientChannel;
  readonly #input: CommandInput;
  #begun = false;
  #before = '';
  #text = '';
  #recent = '';
  #ended = false;
  #problem: unknown;

  constructor(mark: string, channel: ClientChannel, input: CommandInput) {
    this.#mark = mark;
    this.#channel = channel;
    this.#input = input;
    // A shell that a start-up file has started in place of the command reads its commands here: it ends at once.
    if (input.stdin === undefined && input.converse === undefined) channel.end();
  }

  read(chunk: string): CommandResult | undefined {
    if (this.#begun) return this.#readAnswer(chunk);
    const begin = `\n${this.#mark}\n`;
    // Only as far back as a mark may have begun.
    const from = Math.max(0, this.#text.length - begin.length);
    this.#text += chunk;
    const at = this.#text.indexOf(begin, from);
    if (at === -1) return undefined;
    const rest = this.#text.slice(at + begin.length);
    this.#text = '';
    this.#begun = true;
    this.#sendInput();
    return this.#readAnswer(rest);
  }

  readAside(chunk: string): void {
    if (!this.#begun) this.#before = `${this.#before}${chunk}`.slice(-ASIDE_CHARACTERS);
  }

  end(code: number | undefined): CommandResult {
    if (this.#problem !== undefined) throw this.#problem;
    if (!this.#begun)
      throw endedBeforeCommand(code, `${this.#text.slice(-ASIDE_CHARACTERS)} ${this.#before}`);
    return { exitCode: undefined, output: this.#text };
  }

  #readAnswer(chunk: string): CommandResult | undefined {
    if (this.#ended) return undefined;
    const end = `\n${this.#mark} `;
    const from = Math.max(0, this.#text.length - end.length - 4);
    this.#text += chunk;
    const at = this.#text.indexOf(end, from);
    const code = at === -1 ? null : /^(\d{1,3})\n/.exec(this.#text.slice(at + end.length));
    if (code !== null) {
      this.#ended = true;
      return { exitCode: Number(code[1]), output: this.#text.slice(0, at) };
    }
    if (this.#input.converse !== undefined) {
      this.#recent = `${this.#recent}${chunk}`.slice(-RECENT_CHARACTERS);
      if (this.#input.converse(this.#recent, this.#channel)) this.#recent = '';
    }
    return undefined;
  }

  #sendInput(): void {
    if (this.#input.first) this.#channel.write(this.#input.first);
    this.#input.stdin?.().then(
      (text) => this.#channel.end(text),
      (problem: unknown) => {
        this.#problem = problem;
        this.#channel.destroy();
      },
    );
  }
}

/** All that a terminal shows. */
class Unframed implements Reader {
  readonly #channel: ClientChannel;
  readonly #converse: Converse;
  #text = '';
  #recent = '';

  constructor(channel: ClientChannel, converse: Converse) {
    this.#channel = channel;
    this.#converse = converse;
  }

  read(chunk: string): undefined {
    this.#text += chunk;
    this.#recent = `${this.#recent}${chunk}`.slice(-RECENT_CHARACTERS);
    if (this.#converse(this.#recent, this.#channel)) this.#recent = '';
  }

  readAside(): void {}

  end(exitCode: number | undefined): CommandResult {
    return { exitCode, output: this.#text };
  }
}
