import type { ConnectionOptions } from '@claviger/api-client/connection';
import { withSession } from '@claviger/api-client/session';
import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { escapeLines } from '@claviger/terminal/escape';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, tell } from '@claviger/terminal/output';
import { showJson } from '@claviger/terminal/show';
import type { Command } from 'commander';
import { fieldsText, tableText, timeText } from '../contract/cells.ts';
import type { Column } from '../contract/noun.ts';

interface AskOptions extends ConnectionOptions {
  readonly history?: true;
  readonly eraseHistory?: true;
  readonly status?: true;
}
const STATUS = [
  'enabled  enabled?yes:no',
  'answers  answersBy',
  'provider  {providerState}{providerAddress? :}{providerAddress}{model? :}{model}',
  'problem  providerProblem',
  'documentation  {documents} pages, {sections} sections',
  'history  {historyDays} days',
];
const QUERIES: Column[] = [
  'QUERY  name',
  [
    'YOU MAY',
    (row: { permitted: boolean; permission: string }) => (row.permitted ? 'yes' : `no: ${row.permission}`),
  ],
  'EXAMPLE  example',
];

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'ask [words...]',
    'ask the assistant; it changes nothing',
    'claviger ask "Which access of mine is active, and when does it end?"',
  )
    .option('--history', 'show your own questions and answers')
    .option('--erase-history', 'erase your questions and answers permanently')
    .option('--status', 'show the provider and what can be asked');
  withConnectionOptions(command).action(async (words: string[], options: AskOptions) => {
    process.exitCode = await ask(words.join(' '), options);
  });
}

/** The command `ask`. Exit code 2 without a question. */
export function ask(message: string, options: AskOptions): Promise<ExitCode> {
  const chosen = [options.history, options.eraseHistory, options.status, message || undefined];
  if (chosen.filter((each) => each !== undefined).length !== 1) {
    tell('give one of: a question, --history, --erase-history, --status');
    return Promise.resolve(EXIT.usage);
  }
  return withSession(options, async ({ invoke, format }) => {
    if (options.eraseHistory) {
      await invoke('EraseChatHistory', {});
      tell('erased');
    } else if (options.history) {
      const answer = await invoke<assistant.ListChatHistoryResponse>('ListChatHistory', {});
      if (format === 'json') showJson(answer);
      else if (answer.items.length === 0) tell('there are no questions and answers');
      else for (const each of answer.items.toReversed()) say(exchangeText(each));
    } else if (options.status) {
      const status = await invoke<assistant.GetAssistantStatusResponse>('GetAssistantStatus', {});
      if (format === 'json') showJson(status);
      else say(statusText(status));
    } else {
      const answer = await invoke<assistant.AskAssistantResponse>('AskAssistant', { message });
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

function usedText({ used, answeredBy }: Pick<assistant.ChatExchange, 'used' | 'answeredBy'>): string {
  const by = answeredBy === 'provider' ? 'by the provider, ' : '';
  return `(${by}from: ${used.map(({ name }) => escapeLines(name)).join('; ') || 'nothing'})`;
}

function exchangeText(each: assistant.ChatExchange): string {
  return `${timeText(each.createdAt)}  ${escapeLines(each.message)}\n${escapeLines(each.answer)}\n${usedText(each)}\n`;
}

function statusText(status: assistant.GetAssistantStatusResponse): string {
  return `${fieldsText(STATUS, status)}\n\n${tableText(QUERIES, status.queries)}`;
}
