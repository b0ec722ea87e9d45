export { CommandError, EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
export { say, sayJson, table, tell } from './output.ts';
export { type CommandFile, createProgram } from './program.ts';
