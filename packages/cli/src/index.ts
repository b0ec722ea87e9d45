export { CommandError, EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
export { say, sayJson, table, tell } from './output.ts';
export { createProgram } from './program.ts';
