import { escapeLines } from '@claviger/terminal/escape';
import { say } from '@claviger/terminal/output';
import { styled } from '@claviger/terminal/show';

/** A step did not do what Claviger promises. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}

/** Tells the story as it happens. */
export interface Narrator {
  /** A new chapter. */
  chapter(title: string): void;
  /** What somebody does, as the command that would do it. */
  does(who: string, command: string): void;
  /** What was seen to be true. */
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

/** Shows the fact if it holds; the demo fails otherwise. */
export function check(narrator: Narrator, fact: string, holds: boolean): void {
  if (!holds) throw new DemoFailure(`this did not hold: ${fact}`);
  narrator.shows(fact);
}
