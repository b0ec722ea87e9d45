import { type Command, Option } from 'commander';
import { peopleCommand } from '../people/command-options.ts';
import type { OutputFormat } from '../people/show.ts';

export function register(program: Command): void {
  peopleCommand(
    program,
    'explain [code]',
    'say what a problem code means and what to do; without a code, list all',
    'claviger explain self_approval',
  )
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(async (code: string | undefined, options: { readonly output: OutputFormat }) => {
      const { explain } = await import('../people/explain.ts');
      explain(code, options.output);
    });
}
