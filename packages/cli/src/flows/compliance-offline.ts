import type { ConnectionOptions } from '@claviger/api-client/connection';
import { withSession } from '@claviger/api-client/session';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { peopleCommand, several, withConnectionOptions } from '@claviger/terminal/command-options';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { writeNewFile } from '@claviger/terminal/new-file';
import { say, tell } from '@claviger/terminal/output';
import { attestationVerify } from '@claviger/verify/attestation-verify';
import { type ComplianceVerifyOptions, complianceVerify } from '@claviger/verify/compliance-verify';
import { type Command, Option } from 'commander';
import { tableText } from '../contract/cells.ts';
import type { Column } from '../contract/noun.ts';

/** Adds `compliance verify` and `compliance attestation`, which verify saved files without a server. */
export async function register(noun: Command): Promise<void> {
  peopleCommand(
    noun,
    'verify <file>',
    'verify a report offline, without trusting any server',
    'claviger compliance verify q1.zip --keys audit-keys.json --head 2026-03-01.head.json',
  )
    .option('--keys <file>', 'trusted public keys (from `claviger audit keys --save`, or PEM)')
    .option('--head <file>', 'saved tree heads; may be given several times', several)
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(async (file: string, options: ComplianceVerifyOptions) => {
      process.exitCode = await complianceVerify(file, options);
    });
  const command = peopleCommand(
    noun,
    'attestation',
    'show the signed state of all controls, or verify a saved attestation',
    'claviger compliance attestation --save attestation.json',
  )
    .option('--save <file>', 'write it to a new file')
    .option('--verify <file>', 'verify a saved attestation offline')
    .option('--keys <file>', 'for --verify: trusted public keys (from `claviger audit keys --save`, or PEM)');
  withConnectionOptions(command).action(async (options: AttestationOptions) => {
    process.exitCode = await attestation(options);
  });
}

interface AttestationOptions extends ConnectionOptions {
  readonly save?: string;
  readonly verify?: string;
  readonly keys?: string;
}

const CONTROLS: readonly Column[] = [
  'CONTROL  id',
  ['STATE', ({ status }: { status: string }) => status.replace('_', ' ')],
  'EXAMINED  examined',
  'VIOLATIONS  violations',
  'WHAT  title',
];

/** The command `compliance attestation`. With --verify nothing is asked of any server. */
async function attestation(options: AttestationOptions): Promise<ExitCode> {
  if (options.verify !== undefined) return attestationVerify(options.verify, options.keys);
  await withSession(options, async ({ invoke, format }) => {
    const answer = await invoke<compliance.GetAttestationResponse>('GetAttestation', {});
    if (options.save !== undefined) {
      await writeNewFile(options.save, `${JSON.stringify(answer, null, 2)}\n`);
      tell(`attestation written to ${options.save}`);
    }
    const { printForPrograms } = await import('../contract/print-answer.ts');
    if (!(await printForPrograms(format, answer))) say(tableText(CONTROLS, answer.controls));
  });
  return EXIT.ok;
}
