import { operatorConfigOf } from '@claviger/installation/host-settings';
import type { Command } from 'commander';

export interface OperatorOptions {
  readonly operatorConfig?: string;
  readonly json?: boolean;
}

/** Adds the options of every command that uses the certificate of the operator. */
export function withOperatorOptions(command: Command): Command {
  return command
    .option(
      '--operator-config <file>',
      'configuration of the operator; that of the local installation when unset',
    )
    .option('--json', 'print one JSON object');
}

/** The configuration file and the output that the options choose. */
export function operatorRequest({ operatorConfig, json = false }: OperatorOptions) {
  return { configFile: operatorConfigOf(operatorConfig), json };
}
