import type { Command } from 'commander';
import {
  nounCommand,
  peopleCommand,
  positive,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { TokenCreateOptions, TokenListOptions } from '../people/tokens.ts';

const work = () => import('../people/tokens.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'tokens', 'API tokens for machines');
  const list = peopleCommand(noun, 'list', 'list tokens, never their text', 'claviger tokens list').option(
    '--user <user>',
    'only those of a user, by user name or id',
  );
  withConnectionOptions(withPaging(list)).action(async (options: TokenListOptions) =>
    (await work()).listTokens(options),
  );
  const create = peopleCommand(
    noun,
    'create <name>',
    'make a token; its text is shown once',
    'claviger tokens create ci --user deploy-bot --days 30 --output-file ./ci.token',
  )
    .option('--user <user>', 'machine user that it acts as; yourself when not given')
    .option('--permission <permission>', 'narrow it to this; may be given several times', several)
    .option('--days <n>', 'how long it lives; 90 at most', positive)
    .option('--show', 'print the token on the terminal')
    .option('--output-file <file>', 'write the token to a new file, readable for you only');
  withConnectionOptions(create).action(async (name: string, options: TokenCreateOptions) =>
    (await work()).createToken(name, options),
  );
  const revoke = peopleCommand(
    noun,
    'revoke <token-id>',
    'end a token at once',
    'claviger tokens revoke 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
  );
  withConnectionOptions(revoke).action(async (tokenId: string, options: ConnectionOptions) =>
    (await work()).revokeToken(tokenId, options),
  );
}
