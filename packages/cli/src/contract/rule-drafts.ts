import type * as rules from '@claviger/contracts/workflow/v1/rules';
import { readJsonFile } from '@claviger/terminal/json-file';
import { say as print } from '@claviger/terminal/output';
import { fieldsText, timeText } from './cells.ts';
import type { Running } from './noun.ts';

type Json = Record<string, unknown>;

/** Reads a draft rule set; a file with one rule is a set that adds this rule. */
export async function readDraft(file: string): Promise<Json> {
  const json = await readJsonFile(file);
  return Object.hasOwn(json, 'verdict') ? { rules: [json] } : json;
}

/** Reads the conditions from the file of a rule, so the same file works for preview and add. */
export async function readConditions(file: string): Promise<Json> {
  const { name, verdict, priority, enabled, approvalDurationMinutes, ...conditions } =
    await readJsonFile(file);
  return conditions;
}

export function printPreview(preview: rules.PreviewRuleResponse, { say, printRows }: Running): void {
  const { totalMatched, totalScanned, windowDays, truncated, sample } = preview;
  const more = truncated ? ', and not all were examined' : '';
  say(`${totalMatched} of ${totalScanned} requests of the last ${windowDays} days match${more}`);
  if (sample.length > 0)
    printRows(sample, ['ID  id', 'WHEN  requestedAt', 'KIND  flowType', 'STATUS  status']);
}

export function printReplay(replay: rules.ReplayRulesResponse, { say, printRows }: Running): void {
  print(
    fieldsText(
      [
        'decisions  {total}{truncated?, not all were examined:}',
        'as before  unchanged',
        'as before, by another rule  otherRule',
        'changed  changed',
        'left to a person  unresolved',
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

export function printFindings({ findings }: rules.LintRulesResponse, { say, tell }: Running): void {
  if (findings.length === 0) tell('no findings');
  for (const { severity, ruleName, requestId, message, hint, approvers } of findings) {
    const about = ruleName || (requestId && `request ${requestId}`);
    say(`${severity}: ${about === '' ? '' : `${about}: `}${message}`);
    if (hint !== '') say(`  ${hint}`);
    for (const { name, availableAt } of approvers)
      say(`  ${name} could${availableAt === undefined ? '' : `, from ${timeText(availableAt)}`}`);
  }
}
