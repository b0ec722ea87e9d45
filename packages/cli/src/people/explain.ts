import { REASONS } from '@claviger/errors';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say } from '../output.ts';
import { explanations } from './explanations.ts';
import { fieldsText, type OutputFormat, showJson, tableText } from './show.ts';

/** The command `explain`: one code, or all of them. */
export function explain(code: string | undefined, format: OutputFormat): void {
  if (code === undefined) {
    const all = [...explanations].map(([name, explanation]) => ({ code: name, ...explanation }));
    if (format === 'json') return showJson(all);
    return say(
      tableText(
        [
          ['CODE', (row) => row.code],
          ['MEANING', (row) => row.meaning],
        ],
        all,
      ),
    );
  }
  const name = code.replace(/^urn:claviger:problem:/, '');
  const explanation = explanations.get(name);
  if (explanation === undefined)
    throw new CommandError(
      `no code "${name}" is known: \`claviger explain\` lists all of them`,
      EXIT.notFound,
    );
  if (format === 'json') return showJson({ code: name, ...explanation });
  const http = Object.hasOwn(REASONS, name) ? REASONS[name as keyof typeof REASONS].http : undefined;
  say(
    fieldsText([
      ['code', name],
      ['status', http],
      ['meaning', explanation.meaning],
      ['next', explanation.next],
    ]),
  );
}
