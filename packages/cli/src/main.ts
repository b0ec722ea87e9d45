import { runCommand } from './run-command.ts';
import { watchOutput } from './watch-output.ts';

watchOutput();
const exitCode = await runCommand(process.argv.slice(2));
if (exitCode !== undefined) process.exitCode = exitCode;
