import * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeLines } from './escape.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, showJson, tableText, timeText } from './show.ts';

export interface AskOptions extends ConnectionOptions {
  readonly history?: true;
  readonly eraseHistory?: true;
  readonly status?: true;
}

const service = assistant.AssistantService;

const queryColumns: readonly Column<assistant.AssistantQuery>[] = [
  ['QUERY', (row) => row.name],
  ['YOU MAY', (row) => (row.permitted ? 'yes' : `no: ${row.permission}`)],
  ['EXAMPLE', (row) => row.example],
];

/** The command `ask`. Exit code 2 without a question. */
export function ask(message: string, options: AskOptions): Promise<ExitCode> {
  const chosen = [options.history, options.eraseHistory, options.status, message || undefined];
  if (chosen.filter((each) => each !== undefined).length !== 1) {
    tell('ask one thing: a question, --history, --erase-history or --status');
    return Promise.resolve(EXIT.usage);
  }
  return withSession(options, async ({ api, format }) => {
    if (options.eraseHistory) {
      await api.call(service.eraseChatHistory, {});
      tell('erased');
    } else if (options.history) {
      const answer = await api.call(service.listChatHistory, {});
      if (format === 'json') showJson(answer);
      else if (answer.items.length === 0) tell('nothing is kept');
      else for (const each of answer.items.toReversed()) say(exchangeText(each));
    } else if (options.status) {
      const status = await api.call(service.getAssistantStatus, {});
      if (format === 'json') showJson(status);
      else say(statusText(status));
    } else {
      const answer = await api.call(service.askAssistant, { message });
      if (format === 'json') showJson(answer);
      else {
        say(escapeLines(answer.answer));
        if (answer.notice) tell(escapeLines(answer.notice));
        tell(usedText(answer));
      }
    }
    return EXIT.ok;
  });
}

function usedText({ used, answeredBy }: Pick<assistant.AskAssistantResponse, 'used' | 'answeredBy'>): string {
  const by = answeredBy === 'provider' ? 'by the provider, ' : '';
  return `(${by}from: ${used.map(({ name }) => escapeLines(name)).join('; ') || 'nothing'})`;
}

function exchangeText(each: assistant.ChatExchange): string {
  return `${timeText(each.createdAt)}  ${escapeLines(each.message)}\n${escapeLines(each.answer)}\n${usedText(each)}\n`;
}

function statusText(status: assistant.GetAssistantStatusResponse): string {
  const fields = fieldsText([
    ['enabled', status.enabled ? 'yes' : 'no'],
    ['answers', status.answersBy],
    ['provider', `${status.providerState} ${status.providerAddress} ${status.model}`.trim()],
    ['problem', status.providerProblem],
    ['documentation', `${status.documents} pages, ${status.sections} sections`],
    ['history', `${status.historyDays} days`],
  ]);
  return `${fields}\n\n${tableText(queryColumns, status.queries)}`;
}
