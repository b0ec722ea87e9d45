import { peopleCommand, several } from '@claviger/terminal/command-options';
import { type AuditVerifyOptions, auditVerify } from '@claviger/verify/audit-verify';
import { type Command, Option } from 'commander';

/** Adds `audit verify`. */
export async function register(noun: Command): Promise<void> {
  peopleCommand(
    noun,
    'verify <file>',
    'verify an export offline, without trusting any server',
    'claviger audit verify audit.jsonl --head 2026-03-01.head.json --keys audit-keys.json --receipt db.receipt',
  )
    .option('--head <file>', 'saved tree heads (JSON, or one per line); may be given several times', several)
    .option('--keys <file>', 'trusted public keys (from `claviger audit keys --save`, or PEM)')
    .option(
      '--receipt <file>',
      'a receipt whose event must be in the log; may be given several times',
      several,
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(async (file: string, options: AuditVerifyOptions) => {
      process.exitCode = await auditVerify(file, options);
    });
}
