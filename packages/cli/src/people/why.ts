import * as explanations from '@claviger/contracts/workflow/v1/explanations';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { orNotFound } from './find-by-name.ts';
import { withSession } from './session.ts';
import { showJson, timeText } from './show.ts';

const service = explanations.ExplanationsService;

/** The command `why`: an id of either kind of request. */
export function why(id: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const explanation = await explanationOf(api, id);
    if (format === 'json') return showJson(explanation);
    say(inWords(explanation));
  });
}

async function explanationOf(api: ApiClient, id: string): Promise<explanations.Explanation> {
  const answer =
    (await orNotFound(api.call(service.explainElevation, { id }))) ??
    (await orNotFound(api.call(service.explainRequest, { requestId: id })));
  if (answer?.explanation) return answer.explanation;
  throw new CommandError(
    'there is no such request, or you may not see it: `claviger requests` shows those for access, `claviger elevations list` the others',
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
    ...(told.rulesShown ? [] : ['Which rules there are is not shown to you.']),
  ]
    .map(escapeText)
    .join('\n');
}
