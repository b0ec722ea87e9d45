import type { Command } from 'commander';
import {
  nounCommand,
  peopleCommand,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ExposureOptions, RotateExposureOptions } from '../people/exposure.ts';

const work = () => import('../people/exposure.ts');

export function register(program: Command): void {
  const noun = nounCommand(program, 'exposure', 'who knows which secrets, and having them replaced');
  const show = noun
    .command('show <user>', { isDefault: true })
    .description(
      'the secrets that a person or a machine knows and that are still in use; also of one who left',
    )
    .addHelpText('after', '\nExample:\n  claviger exposure alice')
    .option('--search <text>', 'only those that name this')
    .option('--past', 'also what is no longer in use');
  withConnectionOptions(withPaging(show)).action(async (user: string, options: ExposureOptions) =>
    (await work()).showUserExposure(user, options),
  );
  const entry = peopleCommand(
    noun,
    'entry <entry>',
    'who knows a secret, by which version and in which way',
    'claviger exposure entry app-login',
  ).option('--past', 'also former versions');
  withConnectionOptions(withPaging(entry)).action(async (name: string, options: ExposureOptions) =>
    (await work()).showEntryExposure(name, options),
  );
  const rotate = peopleCommand(
    noun,
    'rotate <user>',
    'queue the rotation of everything that somebody knows',
    'claviger exposure rotate alice --reason "alice has left"',
  )
    .requiredOption('--reason <text>', 'it stands in the audit log')
    .option('--entry <entry>', 'only this one, by name or id; may be given several times', several);
  withConnectionOptions(rotate).action(async (user: string, options: RotateExposureOptions) =>
    (await work()).rotateExposure(user, options),
  );
}
