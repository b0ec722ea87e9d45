import { escapeText } from '@claviger/terminal/escape';
import { say, sayJson } from '@claviger/terminal/output';

/** What an agent tells, by the names that programs read. */
export type AgentEvent =
  | 'started'
  | 'reported'
  | 'not-captured'
  | 'decided'
  | 'command'
  | 'actuated'
  | 'ended'
  | 'repeated'
  | 'outcome'
  | 'refused'
  | 'gave-up'
  | 'token-rotated'
  | 'away'
  | 'back'
  | 'stopped';

/** Tells one event: `text` to people, the event with its fields to programs. */
export type AgentLog = (event: AgentEvent, text: string, fields?: Readonly<Record<string, unknown>>) => void;

/** One line for each event on standard output: a sentence, or one JSON object. */
export function agentLog(json: boolean, now: () => Date = () => new Date()): AgentLog {
  return (event, text, fields = {}) => {
    const at = now().toISOString();
    if (json) sayJson({ at, event, ...fields });
    else say(`${at.slice(11, 19)}  ${escapeText(text)}`);
  };
}
