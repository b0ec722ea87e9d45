import type { Command } from 'commander';
import type {
  ActivateOptions,
  CodesOptions,
  ConfirmOptions,
  DeactivateOptions,
  DrillOptions,
  ReviewOptions,
  SessionListOptions,
} from '../people/breakglass.ts';
import {
  nounCommand,
  peopleCommand,
  positive,
  several,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';

const work = () => import('../people/breakglass.ts');
const withCode = (command: Command): Command =>
  withConnectionOptions(
    command.option(
      '--code-stdin',
      'read the code of the second factor from standard input; else it is asked for',
    ),
  );

export function register(program: Command): void {
  const noun = nounCommand(
    program,
    'breakglass',
    'emergency access: open it, end it, review it, rehearse it',
  );
  const status = peopleCommand(
    noun,
    'status',
    'whether it is open, and for whom',
    'claviger breakglass status',
  );
  withConnectionOptions(status).action(async (options: ConnectionOptions) =>
    (await work()).breakglassStatus(options),
  );
  registerOpening(noun);
  const deactivate = peopleCommand(
    noun,
    'deactivate',
    'end it: your own, or with breakglass.manage that of anybody',
    'claviger breakglass deactivate --reason "repaired"',
  )
    .option('--session <id>', 'which one; your own open one when absent')
    .option('--reason <text>', 'why it ends');
  withConnectionOptions(deactivate).action(async (options: DeactivateOptions) =>
    (await work()).deactivate(options),
  );
  const sessions = peopleCommand(
    noun,
    'sessions',
    'list what was opened and what became of it',
    'claviger breakglass sessions --state expired',
  ).option('--state <state>', 'only awaiting-confirmation, active, expired, deactivated or lapsed ones');
  withConnectionOptions(withPaging(sessions)).action(async (options: SessionListOptions) =>
    (await work()).listSessions(options),
  );
  registerKeeping(noun);
}

function registerOpening(noun: Command): void {
  const activate = peopleCommand(
    noun,
    'activate',
    'open emergency access, with a sealed code or the confirmation of somebody else',
    'claviger breakglass activate --reason "the cluster does not start" --resource db1 --sealed-code',
  )
    .requiredOption('--reason <text>', 'why; everybody who reviews it reads this')
    .option('--all-entries', 'for every entry of the tenant')
    .option('--entry <entry>', 'for this entry, by name or id; may be given several times', several)
    .option('--resource <resource>', 'for the entries of this resource; may be given several times', several)
    .option('--minutes <n>', 'for how long; as the policy says when absent', positive)
    .option('--sealed-code', 'ask for a sealed code')
    .option('--sealed-code-stdin', 'read a sealed code from standard input');
  withCode(activate).action(async (options: ActivateOptions) => (await work()).activate(options));
  const confirm = peopleCommand(
    noun,
    'confirm <session>',
    'open what somebody else asked for',
    'claviger breakglass confirm 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11',
  ).option('--comment <text>', 'it stands in the audit log');
  withCode(confirm).action(async (session: string, options: ConfirmOptions) =>
    (await work()).confirm(session, options),
  );
}

function registerKeeping(noun: Command): void {
  const review = peopleCommand(
    noun,
    'review <session>',
    'say what came of a session that has ended, as neither who opened nor who confirmed it',
    'claviger breakglass review 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11 --text "justified"',
  ).requiredOption('--text <text>', 'the finding');
  withConnectionOptions(review).action(async (session: string, options: ReviewOptions) =>
    (await work()).review(session, options),
  );
  const codes = peopleCommand(
    noun,
    'codes',
    'make sealed codes and print them this once; former unused ones stop working',
    'claviger breakglass codes --count 5 --reason "new envelopes"',
  )
    .option('--count <n>', 'how many; 5 when absent', positive)
    .requiredOption('--reason <text>', 'it stands in the audit log');
  withCode(codes).action(async (options: CodesOptions) => (await work()).makeCodes(options));
  const drill = peopleCommand(
    noun,
    'drill',
    'try every step without opening anything, and keep the result as evidence',
    'claviger breakglass drill --comment "quarterly"',
  ).option('--comment <text>', 'it stands in the audit log');
  withConnectionOptions(drill).action(async (options: DrillOptions) => {
    process.exitCode = await (await work()).drill(options);
  });
}
