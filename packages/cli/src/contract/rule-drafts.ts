import { readJsonFile } from '../io/json-file.ts';
import { say as print } from '../output.ts';
import { fieldsText, timeText } from './cells.ts';
import type { Running } from './noun.ts';

type Json = Record<string, unknown>;

/** A draft rule set; a file with one rule is taken for a set to which it is added. */
export async function readDraft(file: string): Promise<Json> {
  const json = await readJsonFile(file);
  return Object.hasOwn(json, 'verdict') ? { rules: [json] } : json;
}

/** The conditions in the file of a rule: the same file serves to try a rule and to add it. */
export async function readConditions(file: string): Promise<Json> {
  const { name, verdict, priority, enabled, approvalDurationMinutes, ...conditions } =
    await readJsonFile(file);
  return conditions;
}

interface Preview {
  readonly totalMatched: number;
  readonly totalScanned: number;
  readonly windowDays: number;
  readonly truncated: boolean;
  readonly sample: readonly object[];
}

export function printPreview(preview: Preview, { say, printRows }: Running): void {
  const { totalMatched, totalScanned, windowDays, truncated, sample } = preview;
  const more = truncated ? ', and there are more than were looked at' : '';
  say(`${totalMatched} of ${totalScanned} requests of the last ${windowDays} days match${more}`);
  if (sample.length > 0)
    printRows(sample, ['ID  id', 'WHEN  requestedAt', 'KIND  flowType', 'STATUS  status']);
}

interface Replay {
  readonly changes: readonly {
    readonly from: string;
    readonly to: string;
    readonly count: number;
    readonly samples: readonly object[];
  }[];
}

export function printReplay(replay: Replay, { say, printRows }: Running): void {
  print(
    fieldsText(
      [
        'decisions  {total}{truncated?, and there are more:}',
        'as before  unchanged',
        'as before, by another rule  otherRule',
        'changed  changed',
        'not to be resolved  unresolved',
        'against version  ruleSetVersion',
      ],
      replay,
    ),
  );
  for (const { from, to, count, samples } of replay.changes) {
    say('');
    say(`${count} from ${from} to ${to}`);
    printRows(samples, ['ID  id', 'WHEN  decidedAt', 'WHAT  label', 'NOW BY  newRuleName|because']);
  }
}

interface Finding {
  readonly severity: string;
  readonly ruleName: string;
  readonly requestId: string;
  readonly message: string;
  readonly hint: string;
  readonly approvers: readonly { readonly name: string; readonly availableAt?: string }[];
}

export function printFindings({ findings }: { findings: readonly Finding[] }, { say, tell }: Running): void {
  if (findings.length === 0) tell('nothing is wrong');
  for (const { severity, ruleName, requestId, message, hint, approvers } of findings) {
    const about = ruleName || (requestId && `request ${requestId}`);
    say(`${severity}: ${about === '' ? '' : `${about}: `}${message}`);
    if (hint !== '') say(`  ${hint}`);
    for (const { name, availableAt } of approvers)
      say(`  ${name} could${availableAt === undefined ? '' : `, from ${timeText(availableAt)}`}`);
  }
}
