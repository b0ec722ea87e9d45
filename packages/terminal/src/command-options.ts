import { FORMATS } from '@claviger/terminal/show';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Adds the options of every command that calls the REST API. */
export function withConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <format>', 'format of the answer').choices([...FORMATS]).default('table'),
    )
    .option('--json', 'the same as -o json')
    .optionsGroup('Connection:')
    .option('--profile <name>', 'profile of the sign-in (CLAVIGER_PROFILE; "default")')
    .option('--server <url>', 'server, e.g. https://localhost:7101 (CLAVIGER_ADDR)')
    .option('--ca <file>', 'CA certificate to trust (CLAVIGER_CA)')
    .option('--tenant <name>', 'tenant to sign in to (CLAVIGER_TENANT)')
    .option('--show-curl', 'print each request as a curl command, secrets masked');
}

/** A new command; `example` is printed at the end of its help. */
export function peopleCommand(
  parent: Command,
  nameAndArguments: string,
  description: string,
  example: string,
  options: { readonly isDefault?: boolean } = {},
): Command {
  const command = parent.command(nameAndArguments, options).description(description);
  return command.addHelpText('after', `\nExample:\n  ${example}`);
}

/** A noun with verbs, e.g. `entries`; without a verb it shows its help. */
export function nounCommand(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).showHelpAfterError(`(claviger ${name} --help)`);
}

export interface ListOptions {
  readonly all?: boolean;
  readonly limit?: number;
}

/** Adds the options that limit a list. */
export function withPaging(command: Command): Command {
  return command
    .option('--limit <n>', 'maximum number of rows', positive, 25)
    .option('--all', 'show all rows');
}

/** A whole number from 0. */
export function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0.');
}

/** A whole number from 1. */
export function positive(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

/** Collects an option that may be given several times. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
