import { watchOutput } from '@claviger/terminal/watch-output';
import { runCommand } from './run-command.ts';

watchOutput();
const exitCode = await runCommand(process.argv.slice(2));
if (exitCode !== undefined) process.exitCode = exitCode;
