import { REASONS, type Reason } from '@claviger/errors';
import { peopleCommand } from '@claviger/terminal/command-options';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { say } from '@claviger/terminal/output';
import { showJson } from '@claviger/terminal/show';
import { type Command, Option } from 'commander';
import { fieldsText, tableText } from '../contract/cells.ts';
import texts from './explanations.json' with { type: 'json' };

/** The meaning of a problem code, and the next step. */
export interface Explanation {
  readonly meaning: string;
  readonly next: string;
}

/** An explanation for every reason. A reason without one does not compile. */
const reasons: Readonly<Record<Reason, Explanation>> = texts.reasons;

/** Every code that a problem can carry. */
export const explanations: ReadonlyMap<string, Explanation> = new Map(
  Object.entries({ ...reasons, ...texts.codes }),
);

export function register(program: Command): void {
  peopleCommand(
    program,
    'explain [code]',
    'explain a problem code and what to do; without a code, list all',
    'claviger explain self_approval',
  )
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(explain);
}

/** The command `explain`: one code, or all of them. */
function explain(code: string | undefined, { output }: { readonly output: string }): void {
  if (code === undefined) {
    const all = [...explanations].map(([name, explanation]) => ({ code: name, ...explanation }));
    return output === 'json' ? showJson(all) : say(tableText(['CODE  code', 'MEANING  meaning'], all));
  }
  const name = code.replace(/^urn:claviger:problem:/, '');
  const explanation = explanations.get(name);
  if (explanation === undefined)
    throw new CommandError(`there is no code "${name}": \`claviger explain\` lists all codes`, EXIT.notFound);
  if (output === 'json') return showJson({ code: name, ...explanation });
  const http = Object.hasOwn(REASONS, name) ? REASONS[name as Reason].http : undefined;
  say(
    fieldsText(['code  code', 'status  http', 'meaning  meaning', 'next  next'], {
      code: name,
      http,
      ...explanation,
    }),
  );
}
