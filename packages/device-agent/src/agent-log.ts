import { escapeText } from '@claviger/terminal/escape';
import { say, sayJson } from '@claviger/terminal/output';

/** Events of the agent, by the names that programs read. */
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

/** Prints one event: `text` for people, the event with its fields for programs. */
export type AgentLog = (event: AgentEvent, text: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Prints each event as one line on standard output: a sentence, or a JSON object. */
export function agentLog(json: boolean, now: () => Date = () => new Date()): AgentLog {
  return (event, text, fields = {}) => {
    const at = now().toISOString();
    if (json) sayJson({ at, event, ...fields });
    else say(`${at.slice(11, 19)}  ${escapeText(text)}`);
  };
}
