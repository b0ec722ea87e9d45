import type { Command } from 'commander';
import type { ApiOptions } from '../people/call-api.ts';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'api <method> <path>',
    'call the REST API as the one who is signed in; the answer is printed as it came',
    'claviger api GET /api/v1/audit/summary',
  ).option('--data <@file>', 'JSON body: @file, or - for standard input');
  withConnectionOptions(command).action(async (method: string, path: string, options: ApiOptions) => {
    const { callApi } = await import('../people/call-api.ts');
    await callApi(method, path, options);
  });
}
