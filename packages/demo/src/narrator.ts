import { escapeLines } from '@claviger/terminal/escape';
import { say } from '@claviger/terminal/output';
import { styled } from '@claviger/terminal/show';

/** A step did not have the promised result. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}

/** Prints the demo while it runs. */
export interface Narrator {
  /** Begins a chapter. */
  chapter(title: string): void;
  /** An action of a person, as the equivalent command. */
  does(who: string, command: string): void;
  /** A verified fact. */
  shows(fact: string): void;
  note(line: string): void;
}

export function createNarrator(): Narrator {
  let chapters = 0;
  return {
    chapter(title) {
      chapters += 1;
      say(`\n${styled('bold', `${chapters}. ${title}`)}`);
    },
    does: (who, command) => say(`   ${who.padEnd(6)} ${styled('cyan', escapeLines(command))}`),
    shows: (fact) => say(`   ${styled('green', '✔')} ${escapeLines(fact)}`),
    note: (line) => say(styled('dim', `   ${escapeLines(line)}`)),
  };
}

/** Prints the fact if it holds; otherwise the demo fails. */
export function check(narrator: Narrator, fact: string, holds: boolean): void {
  if (!holds) throw new DemoFailure(`not fulfilled: ${fact}`);
  narrator.shows(fact);
}
