import { type Command, Option } from 'commander';
import {
  nounCommand,
  peopleCommand,
  positive,
  withConnectionOptions,
  withPaging,
} from '../people/command-options.ts';
import type { ConnectionOptions } from '../people/connection.ts';
import type { LintOptions, RuleFileOptions, RuleListOptions, TrialOptions } from '../people/rules.ts';

const work = () => import('../people/rules.ts');
const DRAFTS = 'JSON: one rule, or rules, removedRuleIds, softwareEntries, accessPolicies, wholeSet';
const FIELDS = 'JSON: name, verdict, priority, matchSigner, matchPathGlob, timeWindow …';

export function register(program: Command): void {
  const noun = nounCommand(program, 'rules', 'rules that decide elevations before a person has to');
  const list = peopleCommand(
    noun,
    'list',
    'list rules in the order in which they are asked',
    'claviger rules list --verdict auto_approve',
  )
    .option('--search <text>', 'only those with this in their name')
    .addOption(
      new Option('--verdict <verdict>', 'only those that decide so').choices([
        'auto_approve',
        'auto_deny',
        'require_approval',
        'ignore',
      ]),
    );
  withConnectionOptions(withPaging(list)).action(async (options: RuleListOptions) =>
    (await work()).listRules(options),
  );
  const show = peopleCommand(
    noun,
    'show <rule>',
    'show one, by name or id',
    'claviger rules show "signed installers"',
  );
  withConnectionOptions(show).action(async (rule: string, options: ConnectionOptions) =>
    (await work()).showRule(rule, options),
  );
  registerChanges(noun);
  registerTrials(noun);
}

function registerChanges(noun: Command): void {
  const add = peopleCommand(noun, 'add', 'add a rule', 'claviger rules add --file rule.json').requiredOption(
    '--file <file>',
    FIELDS,
  );
  withConnectionOptions(add).action(async (options: RuleFileOptions) => (await work()).addRule(options));
  const update = peopleCommand(
    noun,
    'update <rule>',
    'change what the file names; null takes a condition away',
    'claviger rules update "signed installers" --file change.json',
  ).requiredOption('--file <file>', `${FIELDS} rowVersion`);
  withConnectionOptions(update).action(async (rule: string, options: RuleFileOptions) =>
    (await work()).updateRule(rule, options),
  );
  const remove = peopleCommand(
    noun,
    'delete <rule>',
    'remove a rule',
    'claviger rules delete "signed installers"',
  );
  withConnectionOptions(remove).action(async (rule: string, options: ConnectionOptions) =>
    (await work()).deleteRule(rule, options),
  );
  for (const [verb, description] of [
    ['disable', 'let a rule rest: it decides nothing until it is enabled'],
    ['enable', 'let a rule decide again'],
  ] as const) {
    const command = peopleCommand(
      noun,
      `${verb} <rule>`,
      description,
      `claviger rules ${verb} "signed installers"`,
    );
    withConnectionOptions(command).action(async (rule: string, options: ConnectionOptions) =>
      (await work()).switchRule(rule, verb === 'enable', options),
    );
  }
  const coSign = peopleCommand(
    noun,
    'co-sign <rule>',
    'agree to a rule that somebody else wrote, as it is now',
    'claviger rules co-sign "signed installers"',
  );
  withConnectionOptions(coSign).action(async (rule: string, options: ConnectionOptions) =>
    (await work()).coSignRule(rule, options),
  );
}

function registerTrials(noun: Command): void {
  const preview = peopleCommand(
    noun,
    'preview',
    'what a draft alone would have matched',
    'claviger rules preview --file rule.json --days 90',
  )
    .requiredOption('--file <file>', 'JSON: conditions of a rule, flowType')
    .option('--days <n>', 'how far back; 30 when absent', positive);
  withConnectionOptions(preview).action(async (options: TrialOptions) => (await work()).previewRule(options));
  const replay = peopleCommand(
    noun,
    'replay',
    'decide the history again by a draft rule set, and name what would change',
    'claviger rules replay --file drafts.json --days 90',
  )
    .requiredOption('--file <file>', DRAFTS)
    .option('--days <n>', 'how far back; 30 when absent', positive);
  withConnectionOptions(replay).action(async (options: TrialOptions) => (await work()).replayRules(options));
  const lint = peopleCommand(
    noun,
    'lint',
    'what is wrong with the rules in force, or with drafts; exit code 1 for errors',
    'claviger rules lint --file drafts.json',
  ).option('--file <file>', DRAFTS);
  withConnectionOptions(lint).action(async (options: LintOptions) => {
    process.exitCode = await (await work()).lintRules(options);
  });
}
