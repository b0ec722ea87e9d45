import { randomBytes } from 'node:crypto';
import type { ClientChannel, ExecOptions } from 'ssh2';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { endedBeforeCommand } from './ended-before-command.ts';
import type { SshSession } from './session.ts';

const outputLimit = 4 * 1024 * 1024;
/** Longer than any prompt, and short enough to search for each packet. */
const RECENT_CHARACTERS = 512;
/** Interval between two attempts to open a session on a host at its session limit. */
const ASK_AGAIN_MS = 50;
/** Characters kept of the output of a shell that ends before it runs the command. */
const ASIDE_CHARACTERS = 2_000;

/** The output of a command and its exit code; `exitCode` is undefined if the connection ended first. */
export interface CommandResult {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** Called with the latest output since it last returned true; may write to the command or end its input. */
export type Converse = (recent: string, channel: ClientChannel) => boolean;

interface CommandInput {
  /** Called immediately before the input is sent; an error it throws ends the command and rejects. */
  readonly stdin?: () => Promise<string>;
  readonly converse?: Converse;
  /** Sent when the command has begun, before `converse` is called. */
  readonly first?: string;
}

/**
 * Runs a command of the POSIX shell, independent of the account's login shell. `command` is fixed text
 * without secrets and without quotes `'`, `\`, `!` and line ends, which login shells parse differently; names
 * and secrets are sent through `stdin` or `converse`. Returns its standard output; `2>&1` adds its error
 * output.
 *
 * Login shells and start-up files may print anything before and after. Only output between two marks counts.
 * A mark is random and is split in the command line, so that an echo of that line does not match. Nothing is
 * sent to the command before its mark has arrived.
 *
 * Throws ConnectorError if the command certainly did not run: `not_possible` and `not_now` if the host ended
 * the session first, `unreachable` if the connection ended. If the connection ends later, `exitCode` is
 * undefined.
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
 * Runs a command on a terminal without echo, for hosts that start their own program instead of the command:
 * sshd does this when the password must be changed. Returns all terminal output.
 */
export function runOnTerminal(
  session: SshSession,
  command: string,
  converse: Converse,
): Promise<CommandResult> {
  const terminal: ExecOptions = { pty: { term: 'dumb', modes: { ECHO: 0 } }, env: { LC_ALL: 'C' } };
  return execute(session, command, terminal, (channel) => new Unframed(channel, converse));
}

/** Parses the output of a channel. */
interface Reader {
  /** Returns the result as soon as it is complete. */
  read(text: string): CommandResult | undefined;
  /** Reads error output. */
  readAside(text: string): void;
  /** `code` is undefined if the connection ended first or a signal ended the command. */
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
      // A host may allow one session at a time and count the former one until its shell has ended, which it
      // does not report. The operation's time limit bounds the attempts.
      if (error !== undefined && session.hasOpened && 'reason' in error)
        return void setTimeout(() => attempt(open), ASK_AGAIN_MS);
      session.client.off('close', onLost);
      if (error !== undefined) {
        const message = 'The host opens no session for this account.';
        const hint = 'Check MaxSessions in sshd_config: with 0, accounts can log in but open no session.';
        return reject(new ConnectorError('not_possible', message, { hint, cause: error }));
      }
      // Listen at once: the next packet, with all output of a short command, may already have been received.
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
      // The result is complete; the end of the login shell does not matter.
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

/** Reads the output between two marks. */
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
    // A start-up file may have replaced the shell with one that reads commands here: closing the input ends
    // it.
    if (input.stdin === undefined && input.converse === undefined) channel.end();
  }

  read(chunk: string): CommandResult | undefined {
    if (this.#begun) return this.#readAnswer(chunk);
    const begin = `\n${this.#mark}\n`;
    // A mark can begin at most this far back.
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

/** Reads all output of a terminal. */
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
