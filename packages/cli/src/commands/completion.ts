import { peopleCommand } from '@claviger/terminal/command-options';
import { say } from '@claviger/terminal/output';
import { Argument, type Command, type Option } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function register(program: Command): void {
  peopleCommand(
    program,
    'completion',
    'print a script that completes commands, options and choices in your shell',
    'source <(claviger completion bash)',
  )
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .action((shell: Shell) => say(SCRIPTS[shell]));
  program
    .command('complete-words', { hidden: true })
    .argument('[words...]', 'the words of a command line, the last of which is completed')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const { createProgram } = await import('../program.ts');
      const whole = await createProgram(words.length > 1 ? words : []);
      for (const { word, about } of candidates(whole, words)) say(`${word}\t${about}`);
    });
}

/** Each shell calls the command, so completions match the installed version. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_claviger() {
  local IFS=$'\\n'
  COMPREPLY=($(claviger complete-words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _claviger claviger`,
  zsh: `#compdef claviger
_claviger() {
  local -a found
  found=("\${(@f)$(claviger complete-words -- "\${(@)words[2,CURRENT]}" 2>/dev/null | sed 's/:/\\\\:/g; s/\\t/:/')}")
  [[ -n $found ]] && _describe claviger found || _files
}
compdef _claviger claviger`,
  fish: `complete -c claviger -f -a '(claviger complete-words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
complete -c claviger -F -n 'string match -qr -- "-(file|ca|out|save|config|settings|keys|head|receipt|script)\\$" (commandline -opc)[-1]'`,
};

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** Possible completions of the last word. */
export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const last = words.at(-1) ?? '';
  let command = program;
  let awaiting: Option | undefined;
  for (const word of words.slice(0, -1)) {
    const option = command.options.find(({ long, short }) => word === long || word === short);
    awaiting = awaiting === undefined && option?.required ? option : undefined;
    const inner = command.commands.find((each) => each.name() === word || each.alias() === word);
    if (inner !== undefined) command = inner;
  }
  if (awaiting !== undefined) return choices(awaiting.argChoices, last);
  if (last.startsWith('-'))
    return command.options
      .filter(({ long, hidden }) => !hidden && long?.startsWith(last))
      .map(({ long, description }) => ({ word: long!, about: description }));
  const verbs = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name().startsWith(last));
  const argument = command.registeredArguments[0]?.argChoices;
  return [
    ...verbs.map((each) => ({ word: each.name(), about: each.summary() || each.description() })),
    ...choices(argument, last),
  ];
}

const choices = (all: readonly string[] | undefined, begin: string): Candidate[] =>
  (all ?? []).filter((word) => word.startsWith(begin)).map((word) => ({ word, about: '' }));
