import type { ConnectionOptions } from '@claviger/api-client/connection';
import { withSession } from '@claviger/api-client/session';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { escapeLines } from '@claviger/terminal/escape';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { showJson } from '@claviger/terminal/show';
import { readText } from '@claviger/terminal/text-input';
import type { Command } from 'commander';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'api <method> <path>',
    'call the REST API as the signed-in user; the answer is printed unchanged',
    'claviger api GET /api/v1/audit/summary',
  ).option('--data <@file>', 'JSON body: @file, or - for standard input');
  withConnectionOptions(command).action(callApi);
}

export interface ApiOptions extends ConnectionOptions {
  readonly data?: string;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** The command `api`. */
export async function callApi(method: string, path: string, options: ApiOptions): Promise<void> {
  const verb = method.toUpperCase();
  if (!methods.has(verb))
    throw new CommandError(`${verb} is not one of ${[...methods].join(', ')}`, EXIT.usage);
  const body = await readBody(options.data);
  await withSession(options, async ({ api }) => {
    const { text, contentType } = await api.raw(verb, path, body);
    if (text === '') return;
    if (/^application\/(.+\+)?json\b/.test(contentType)) return showJson(JSON.parse(text));
    process.stdout.write(process.stdout.isTTY ? escapeLines(text) : text);
  });
}

/**
 * Never takes the body as an argument: it can contain a secret, and every user of the machine can see
 * arguments.
 */
async function readBody(data: string | undefined): Promise<string | undefined> {
  if (data === undefined) return undefined;
  if (data !== '-' && !data.startsWith('@'))
    throw new CommandError(
      '--data takes @FILE, or - for standard input, because other users can see arguments',
      EXIT.usage,
    );
  const text = await readText(data === '-' ? undefined : data.slice(1));
  try {
    JSON.parse(text);
  } catch {
    throw new CommandError('the body is not JSON', EXIT.usage);
  }
  return text;
}
