import type { ConnectionOptions } from '@claviger/api-client/connection';
import { orNotFound } from '@claviger/api-client/or-not-found';
import { type Session, withSession } from '@claviger/api-client/session';
import type * as explanations from '@claviger/contracts/workflow/v1/explanations';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { say } from '@claviger/terminal/output';
import type { Command } from 'commander';
import { timeText } from '../contract/cells.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'why <request>',
    'explain the decision of an access request or an elevation request',
    'claviger why 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11',
  );
  withConnectionOptions(command).action(why);
}

/** The command `why`, for both kinds of requests. */
export function why(id: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ invoke, format }) => {
    const { printForPrograms } = await import('../contract/print-answer.ts');
    const explanation = await explanationOf(invoke, id);
    if (await printForPrograms(format, explanation)) return;
    say(inWords(explanation));
  });
}

async function explanationOf(invoke: Session['invoke'], id: string): Promise<explanations.Explanation> {
  const answer =
    (await orNotFound(invoke<explanations.ExplainRequestResponse>('ExplainElevation', { id }))) ??
    (await orNotFound(invoke<explanations.ExplainRequestResponse>('ExplainRequest', { requestId: id })));
  if (answer?.explanation) return answer.explanation;
  throw new CommandError(
    'there is no such request, or you cannot see it: `claviger requests` lists access requests, `claviger elevations list` elevation requests',
    EXIT.notFound,
  );
}

function inWords(told: explanations.Explanation): string {
  const decided = told.decisions.map(({ name, by, decision, step, reason, decidedAt }) => {
    const where = step === '' ? '' : ` (${step})`;
    const because = reason === '' ? '' : `: ${reason}`;
    return `${timeText(decidedAt)}  ${decision} by ${name || by}${where}${because}`;
  });
  return [
    `${told.status}. ${told.summary}`,
    ...told.lines.map((line) => `  ${line}`),
    ...(told.nearest ? [told.nearest.words] : []),
    ...decided,
    ...(told.rulesShown ? [] : ['You cannot read the rules.']),
  ]
    .map(escapeText)
    .join('\n');
}
