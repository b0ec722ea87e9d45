import { orNotFound } from '@claviger/api-client/or-not-found';
import type * as explanations from '@claviger/contracts/workflow/v1/explanations';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { say } from '@claviger/terminal/output';
import { timeText } from '../contract/cells.ts';
import type { Running } from '../contract/noun.ts';

/** The explanation of a decision, for both kinds of requests. */
export async function explanationOf({ invoke }: Running, id: string): Promise<explanations.Explanation> {
  const answer =
    (await orNotFound(invoke<explanations.ExplainRequestResponse>('ExplainElevation', { id }))) ??
    (await orNotFound(invoke<explanations.ExplainRequestResponse>('ExplainRequest', { requestId: id })));
  if (answer?.explanation) return answer.explanation;
  throw new CommandError(
    'there is no such request, or you cannot see it: `claviger requests` lists access requests, `claviger elevations list` elevation requests',
    EXIT.notFound,
  );
}

/** Prints an explanation in words. */
export function printExplanation(told: explanations.Explanation): void {
  const decided = told.decisions.map(({ name, by, decision, step, reason, decidedAt }) => {
    const where = step === '' ? '' : ` (${step})`;
    const because = reason === '' ? '' : `: ${reason}`;
    return `${timeText(decidedAt)}  ${decision} by ${name || by}${where}${because}`;
  });
  const lines = [
    `${told.status}. ${told.summary}`,
    ...told.lines.map((line) => `  ${line}`),
    ...(told.nearest ? [told.nearest.words] : []),
    ...decided,
    ...(told.rulesShown ? [] : ['You cannot read the rules.']),
  ];
  say(lines.map(escapeText).join('\n'));
}
