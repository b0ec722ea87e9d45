import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Command } from 'commander';
import type { AgentOptions } from '../run-agent.ts';

export function register(program: Command): void {
  program
    .command('agent')
    .description('simulate the agent of a device, for tests: report prompts, carry out commands')
    .option('--simulate', 'change nothing on this machine; required')
    .requiredOption('--device <id>', 'id of the device')
    .requiredOption('--token-file <file>', 'token of the agent; overwritten when it is rotated')
    .option('--url <url>', 'server, e.g. https://localhost:7101 (CLAVIGER_ADDR)')
    .option('--ca <file>', 'CA certificate to trust (CLAVIGER_CA)')
    .option('--script <file>', 'prompts to report: a JSON list, or one JSON object per line')
    .option('--until-done', 'exit at the end of the script')
    .option('--rotate-every <duration>', 'rotate the token at this interval, e.g. 12h')
    .option('--state-file <file>', 'record of the commands that were received (TOKEN_FILE.state)')
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
        throw new CommandError('only simulation is supported: give --simulate', EXIT.usage);
      const { runAgent } = await import('../run-agent.ts');
      process.exitCode = await runAgent(options);
    });
}
