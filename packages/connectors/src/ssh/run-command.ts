import type { ClientChannel } from 'ssh2';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import type { SshSession } from './session.ts';

const outputLimit = 4 * 1024 * 1024;
/** Longer than a prompt, and short enough to be searched at each packet. */
const RECENT_CHARACTERS = 512;

/**
 * What a command wrote and how it ended; `exitCode` is undefined when the connection ended first or a signal
 * killed it.
 */
export interface CommandResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Called with the last characters that were written (both streams, in order of arrival) since it last
 * returned true; may write to the command or end its input.
 */
export type Converse = (recent: string, channel: ClientChannel) => boolean;

interface CommandInput {
  /**
   * Asked for when it is about to be sent; what it throws, the command's failure to start, ends the command.
   */
  readonly stdin?: () => Promise<string>;
  readonly converse?: Converse;
}

/**
 * Runs a command. The command is fixed text without secrets; what is secret goes through `stdin` or
 * `converse`. Throws ConnectorError only when the command could not be started; a connection that ends later
 * leaves `exitCode` undefined.
 */
export function runCommand(
  session: SshSession,
  command: string,
  input: CommandInput = {},
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const onLost = () =>
    reject(new ConnectorError('unreachable', 'The connection ended before the command could be started.'));
  session.client.once('close', onLost);
  try {
    session.client.exec(command, (error, channel) => {
      session.client.off('close', onLost);
      if (error === undefined) {
        // At once: the next packet, with all of a short command's output, may already be in hand.
        try {
          follow(session, channel, input).then(resolve, reject);
        } catch (problem) {
          channel.destroy();
          reject(asConnectorError(problem));
        }
      } else {
        const message = 'The host does not let this account run commands.';
        reject(new ConnectorError('permission', message, { cause: error }));
      }
    });
  } catch (error) {
    reject(asConnectorError(error));
  }
  return promise;
}

function follow(session: SshSession, channel: ClientChannel, input: CommandInput): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const output = { length: 0, recent: '', stdout: '', stderr: '' };
  let exitCode: number | undefined;
  const take = (stream: 'stdout' | 'stderr') => (chunk: string) => {
    output.length += chunk.length;
    if (output.length > outputLimit) return channel.destroy();
    output[stream] += chunk;
    if (input.converse === undefined) return;
    output.recent = `${output.recent}${chunk}`.slice(-RECENT_CHARACTERS);
    if (input.converse(output.recent, channel)) output.recent = '';
  };
  channel.setEncoding('utf8').on('data', take('stdout'));
  channel.stderr.setEncoding('utf8').on('data', take('stderr'));
  channel.on('exit', (code: number | null) => {
    exitCode = code ?? undefined;
  });
  // A broken connection also closes the channel.
  channel.on('error', () => {});
  const onClose = () => {
    session.client.off('close', onClose);
    resolve({ exitCode, stdout: output.stdout, stderr: output.stderr });
  };
  channel.on('close', onClose);
  session.client.on('close', onClose);
  if (input.converse === undefined) {
    const sending = input.stdin === undefined ? Promise.resolve('') : input.stdin();
    sending.then(
      (text) => channel.end(text),
      (problem: unknown) => {
        channel.destroy();
        reject(asConnectorError(problem));
      },
    );
  }
  return promise;
}
