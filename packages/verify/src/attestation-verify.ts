import { attestationProblem } from '@claviger/compliance-package';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say } from '@claviger/terminal/output';
import { readText } from '@claviger/terminal/text-input';
import { readPublicKeys } from './audit-files.ts';

/** Verifies a saved attestation offline, against trusted public keys. */
export async function attestationVerify(file: string, keyFile: string | undefined): Promise<ExitCode> {
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
