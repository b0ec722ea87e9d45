export { CommandError, EXIT, type ExitCode, exitCodeOf } from '@claviger/terminal/exit-codes';
export { say, sayJson, table, tell } from '@claviger/terminal/output';
export { createProgram } from './program.ts';
