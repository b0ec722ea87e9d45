import type { Command } from 'commander';

/** Where a disclosed secret goes. */
export interface SecretOutputOptions {
  readonly show?: boolean;
  readonly outputFile?: string;
  readonly receiptFile?: string;
}

export function withSecretOutput(command: Command): Command {
  return command
    .option('--show', 'print the secret on the terminal')
    .option('--output-file <file>', 'write the secret to a new file, readable for you only')
    .option('--receipt-file <file>', 'keep the receipt, for `claviger audit verify --receipt`');
}

/** The same for a token of a machine, which has no receipt. */
export function withTokenOutput(command: Command): Command {
  return command
    .option('--show', 'print the token on the terminal')
    .option('--output-file <file>', 'write the token to a new file, readable for you only');
}
