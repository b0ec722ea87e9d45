import { attestationProblem, type PackageVerdict, verifyPackage } from '@claviger/compliance-package';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { type Command, Option } from 'commander';
import { readHeads, readPublicKeys } from '../audit/audit-files.ts';
import { peopleCommand, several, withConnectionOptions } from '../command-options.ts';
import { tableText } from '../contract/cells.ts';
import type { Column } from '../contract/noun.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts';
import { escapeText } from '../io/escape.ts';
import { writeNewFile } from '../io/new-file.ts';
import { showJson } from '../io/show.ts';
import { readText } from '../io/text-input.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from '../session/connection.ts';
import { withSession } from '../session/session.ts';

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

interface ComplianceVerifyOptions {
  readonly keys?: string;
  readonly head?: readonly string[];
  readonly output: 'table' | 'json';
}

/** The command `compliance verify`: exit code 0 only when nothing at all is wrong. */
async function complianceVerify(file: string, options: ComplianceVerifyOptions): Promise<ExitCode> {
  const knownHeads = (await Promise.all((options.head ?? []).map(readHeads))).flat();
  const keys = options.keys === undefined ? undefined : await readPublicKeys(options.keys);
  if (keys?.treeHead.length === 0)
    throw new CommandError(`${options.keys} contains no key of tree heads`, EXIT.usage);
  const verdict = await verifyPackage(file, { trustedKeys: keys?.treeHead, knownHeads }).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.syscall === undefined) throw cause;
      throw new CommandError(`it cannot be read: ${cause.message}`, EXIT.usage, { cause });
    },
  );
  if (options.output === 'json') showJson(verdict);
  else for (const line of packageVerdictLines(file, verdict)) say(line);
  const unmatched = knownHeads.length - (verdict.log?.knownHeadsMatched ?? 0);
  if (verdict.ok && unmatched > 0)
    tell(`${unmatched} of the heads given are of sizes that this package says nothing about`);
  if (knownHeads.length === 0)
    tell('no --head was given: the check cannot exclude that the whole log was rewritten and signed again');
  if (verdict.trust === 'first-use')
    tell(
      "no --keys were given: the package's own key was believed. It shows that nothing was changed since it was signed, not who signed it: compare the key id with one that you know",
    );
  return verdict.ok ? EXIT.ok : EXIT.error;
}

/** The verdict for a person. */
export function packageVerdictLines(file: string, verdict: PackageVerdict): string[] {
  const { ok, problem, manifest, keyId, trust, log } = verdict;
  if (!ok || manifest === null)
    return [`✘ ${escapeText(file)} was altered or is incomplete:`, `  ${escapeText(problem ?? '')}`];
  const { parameters, tables } = manifest;
  return [
    `✔ ${parameters.from} to ${parameters.to}, signed by ${keyId}${trust === 'first-use' ? ' (a key from the package itself)' : ''}`,
    `  tenant ${manifest.tenantId}, report ${manifest.reportId}, as of ${manifest.asOf}`,
    ...(log === null
      ? []
      : [
          `  ${log.included} events proven; ${log.outsideRange} of the same stretch are outside of the range`,
          ...(log.knownHeadsMatched > 0 ? [`  ${log.knownHeadsMatched} kept heads matched`] : []),
        ]),
    ...tables.map(
      ({ name, rows, basis }) => `  ${name}: ${rows} ${rows === 1 ? 'row' : 'rows'} (${BASES[basis]})`,
    ),
  ];
}

const BASES = {
  range: 'of the range',
  'end-of-range': 'as of the end of the range',
  'when-made': 'as of when it was made',
} as const;

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
  if (options.verify !== undefined) return verifySaved(options.verify, options.keys);
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

async function verifySaved(file: string, keyFile: string | undefined): Promise<ExitCode> {
  if (keyFile === undefined)
    throw new CommandError('give --keys: an attestation contains no key', EXIT.usage);
  const keys = await readPublicKeys(keyFile);
  const text = await readText(file);
  const problem = attestationProblem(parse(text), keys.treeHead);
  if (problem !== undefined) {
    say(`✘ ${escapeText(file)}: ${problem}`);
    return EXIT.error;
  }
  const { controls, issuedAt, keyId } = parse(text) as compliance.GetAttestationResponse;
  const failed = controls.filter(({ status }) => status === 'failed').length;
  say(`✔ signed by ${keyId} at ${issuedAt}: ${controls.length} controls, ${failed} failed`);
  return EXIT.ok;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
