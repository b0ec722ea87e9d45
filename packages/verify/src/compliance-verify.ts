import { type PackageVerdict, verifyPackage } from '@claviger/compliance-package';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { showJson } from '@claviger/terminal/show';
import { readHeads, readPublicKeys } from './audit-files.ts';

export interface ComplianceVerifyOptions {
  readonly keys?: string;
  readonly head?: readonly string[];
  readonly output: 'table' | 'json';
}

/** The command `compliance verify`: exit code 0 only if there is no problem. */
export async function complianceVerify(file: string, options: ComplianceVerifyOptions): Promise<ExitCode> {
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
    tell(`${unmatched} of the heads given have sizes that this package does not cover`);
  if (knownHeads.length === 0)
    tell('no --head was given: the check cannot exclude that the whole log was rewritten and signed again');
  if (verdict.trust === 'first-use')
    tell(
      'no --keys were given: the key in the package was used. This shows that nothing was changed since it was signed, but not who signed it: compare the key id with one that you know',
    );
  return verdict.ok ? EXIT.ok : EXIT.error;
}

/** The result for a person. */
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
