import type { Command } from 'commander';
import type { AgentOptions } from '../agent/run-agent.ts';
import { CommandError, EXIT } from '../exit-codes.ts';

export function register(program: Command): void {
  program
    .command('agent')
    .description('be a device with its agent, for tests and rehearsals: report prompts, act on commands')
    .option('--simulate', 'act on nothing and say so; the only way there is on this machine')
    .requiredOption('--device <id>', 'the device that it is')
    .requiredOption('--token-file <file>', "the agent's token; written over when it is rotated")
    .option('--url <url>', 'server, e.g. https://localhost:7101 (CLAVIGER_ADDR)')
    .option('--ca <file>', 'CA certificate to trust (CLAVIGER_CA)')
    .option('--script <file>', 'prompts to show: a JSON list, or one JSON object on each line')
    .option('--until-done', 'end when the script is through')
    .option('--rotate-every <duration>', 'have a new token that often, e.g. 12h')
    .option('--state-file <file>', 'where it notes the commands it has taken up (TOKEN_FILE.state)')
    .option('--json', 'print each event as one JSON object')
    .addHelpText(
      'after',
      `
A step of the script:
  {"prompt": {"subject_username": "acme\\\\sarah", "target_executable_path": "C:\\\\setup.exe"},
   "await": "actuation", "timeoutSeconds": 120}
  also {"pauseSeconds": 5} and {"rotateToken": true}

Example:
  claviger agent --simulate --device 0b9d2c1e-6f0a-4a39-9f57-0a8d6e0f4c11 --token-file ./device.token --script prompts.jsonl --until-done`,
    )
    .action(async (options: AgentOptions & { readonly simulate?: boolean }) => {
      if (!options.simulate)
        throw new CommandError('this agent can only pretend: give --simulate', EXIT.usage);
      const { runAgent } = await import('../agent/run-agent.ts');
      process.exitCode = await runAgent(options);
    });
}
