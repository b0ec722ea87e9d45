import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { showJson } from '@claviger/terminal/show';
import { readHeads, readPublicKeys, readReceipt } from './audit-files.ts';
import type { FileChange } from './exported-lines.ts';
import { type AuditVerdict, verifyAuditFile } from './verify-audit-file.ts';

export interface AuditVerifyOptions {
  readonly head?: readonly string[];
  readonly keys?: string;
  readonly receipt?: readonly string[];
  readonly output: 'table' | 'json';
}

/**
 * The command `audit verify`: exit code 0 only if all given heads, keys and receipts confirm the log; 2 if
 * the only problem is a head that does not belong to the file; otherwise 1.
 */
export async function auditVerify(file: string, options: AuditVerifyOptions): Promise<ExitCode> {
  const { head = [], receipt = [], keys: keyFile } = options;
  const heads = (await Promise.all(head.map(readHeads))).flat();
  const keys = keyFile === undefined ? undefined : await readPublicKeys(keyFile);
  const receipts = await Promise.all(
    receipt.map(async (name) => ({ name, receipt: await readReceipt(name) })),
  );
  const verdict = await verifyAuditFile(file, { heads, keys, receipts }).catch(
    (cause: NodeJS.ErrnoException) => {
      if (cause.syscall === undefined) throw cause;
      throw new CommandError(`it cannot be read: ${cause.message}`, EXIT.usage, { cause });
    },
  );
  if (options.output === 'json') showJson(verdict);
  else for (const line of verdictLines(file, verdict)) say(line);
  if (heads.length === 0)
    tell('no --head was given: the check cannot exclude that the whole log was rewritten and signed again');
  if (verdict.trust === 'first-use')
    tell('no --keys were given: the keys in the file were used, so the signer is not verified');
  if (verdict.ok) return EXIT.ok;
  const wrong = verdict.problems.length > 0 || verdict.receipts.some(({ ok }) => !ok);
  return wrong ? EXIT.error : EXIT.usage;
}

/** The result for a person: one line if the log is intact, otherwise each problem and its place. */
export function verdictLines(file: string, verdict: AuditVerdict): string[] {
  const {
    events,
    treeHead,
    knownHeadsMatched,
    unfitHeads,
    problems,
    problemsOmitted,
    receipts,
    fileChanges,
  } = verdict;
  const lines: string[] = [];
  if (problems.length === 0) {
    const heads = knownHeadsMatched === 1 ? '1 kept head matched' : `${knownHeadsMatched} kept heads matched`;
    const parts = [
      `${events} events`,
      `tree head signed by ${treeHead?.keyId}${verdict.trust === 'first-use' ? ' (a key from the file itself)' : ''}`,
      ...(knownHeadsMatched > 0 ? [heads] : []),
    ];
    lines.push(`✔ ${parts.join(', ')}`);
  } else {
    lines.push(`✘ ${escapeText(file)} was altered or is incomplete:`);
    for (const { line, seq, problem } of problems)
      lines.push(`  line ${line}${seq === null ? '' : `, event ${seq}`}: ${escapeText(problem)}`);
    if (problemsOmitted > 0) lines.push(`  and ${problemsOmitted} more`);
    if (treeHead === null)
      lines.push('  Only a file of `claviger audit export --format jsonl` can be verified.');
  }
  if (fileChanges.length > 0) lines.push(changesLine(verdict));
  for (const { size, timestamp, problem } of unfitHeads)
    lines.push(`✘ head of ${size} events of ${timestamp}: ${escapeText(problem)}`);
  for (const { name, ok, seq, problem } of receipts)
    lines.push(
      ok ? `✔ receipt ${escapeText(name)}: event ${seq}` : `✘ receipt ${escapeText(name)}: ${problem}`,
    );
  return lines;
}

const CHANGES: Record<FileChange, string> = {
  'byte-order-mark': 'a byte order mark was added before the first line',
  'carriage-returns': 'carriage returns were added to the line ends',
  'empty-last-lines': 'empty lines were added at the end',
  'no-last-line-end': 'the last line end is missing',
};

function changesLine({ fileChanges, problems }: AuditVerdict): string {
  const changes = fileChanges.map((change) => CHANGES[change]).join(', ');
  return problems.length === 0
    ? `  The bytes of the file differ from the export (${changes}), as after an editor or a transfer in text mode. The log in it is intact. To get the original bytes, copy the file again in binary mode, or export again.`
    : `  Also, ${changes}, as after an editor, a transfer in text mode or an interrupted transfer: copy the file again in binary mode, or export again, and verify the new file.`;
}
