import { attestationProblem } from '@claviger/compliance-package';
import * as compliance from '@claviger/contracts/audit/v1/compliance';
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import { readPublicKeys } from './audit-files.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { writeNewFile } from './new-file.ts';
import { withSession } from './session.ts';
import { type Column, showJson, tableText } from './show.ts';
import { readText } from './text-input.ts';

export interface AttestationOptions extends ConnectionOptions {
  readonly save?: string;
  readonly verify?: string;
  readonly keys?: string;
}

const columns: readonly Column<compliance.Control>[] = [
  ['CONTROL', (row) => row.id],
  ['STATE', (row) => row.status.replace('_', ' ')],
  ['EXAMINED', (row) => row.examined],
  ['VIOLATIONS', (row) => row.violations],
  ['WHAT', (row) => row.title],
];

/** The command `compliance attestation`. With --verify nothing is asked of any server. */
export async function attestation(options: AttestationOptions): Promise<ExitCode> {
  if (options.verify !== undefined) return verifySaved(options.verify, options.keys);
  await withSession(options, async ({ api, format }) => {
    const answer = await api.call(compliance.ComplianceService.getAttestation, {});
    if (options.save !== undefined) {
      await writeNewFile(options.save, `${JSON.stringify(answer, null, 2)}\n`);
      tell(`the attestation is in ${options.save}`);
    }
    if (format === 'json') return showJson(answer);
    say(tableText(columns, answer.controls));
  });
  return EXIT.ok;
}

async function verifySaved(file: string, keyFile: string | undefined): Promise<ExitCode> {
  if (keyFile === undefined)
    throw new CommandError('--keys is needed: an attestation brings no key of its own', EXIT.usage);
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
