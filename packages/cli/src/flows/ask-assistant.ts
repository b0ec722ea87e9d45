import type * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { escapeLines } from '@claviger/terminal/escape';
import { say, tell } from '@claviger/terminal/output';
import { fieldsText, tableText, timeText } from '../contract/cells.ts';
import type { Column, Running } from '../contract/noun.ts';
import { refuse } from '../contract/refuse.ts';

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

/** The command `ask`: a question, or what one of its options asks for. */
export async function ask({ invoke, options, words: [given] }: Running): Promise<unknown> {
  const message = (given as unknown as readonly string[]).join(' ');
  const chosen = [options.history, options.eraseHistory, options.status, message || undefined];
  if (chosen.filter((each) => each !== undefined).length !== 1)
    throw refuse('give one of: a question, --history, --erase-history, --status');
  if (options.history) return invoke('ListChatHistory', {});
  if (options.status) return invoke('GetAssistantStatus', {});
  if (!options.eraseHistory) return invoke('AskAssistant', { message });
  await invoke('EraseChatHistory', {});
  tell('erased');
  return undefined;
}

type Answer =
  | assistant.ListChatHistoryResponse
  | assistant.GetAssistantStatusResponse
  | assistant.AskAssistantResponse;

/** Prints an answer, the history or the status. */
export function printAnswer(answer: Answer): void {
  if ('queries' in answer) say(`${fieldsText(STATUS, answer)}\n\n${tableText(QUERIES, answer.queries)}`);
  else if ('items' in answer) {
    if (answer.items.length === 0) tell('there are no questions and answers');
    for (const each of answer.items.toReversed()) say(exchangeText(each));
  } else {
    say(escapeLines(answer.answer));
    if (answer.notice) tell(escapeLines(answer.notice));
    tell(usedText(answer));
  }
}

function usedText({ used, answeredBy }: Pick<assistant.ChatExchange, 'used' | 'answeredBy'>): string {
  const by = answeredBy === 'provider' ? 'by the provider, ' : '';
  return `(${by}from: ${used.map(({ name }) => escapeLines(name)).join('; ') || 'nothing'})`;
}

function exchangeText(each: assistant.ChatExchange): string {
  return `${timeText(each.createdAt)}  ${escapeLines(each.message)}\n${escapeLines(each.answer)}\n${usedText(each)}\n`;
}
