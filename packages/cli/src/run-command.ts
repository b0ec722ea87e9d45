import { CommandError, EXIT, exitCodeOf } from '@claviger/terminal/exit-codes';
import { outputFailed } from '@claviger/terminal/watch-output';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';

/**
 * Runs the command of these arguments, e.g. `['whoami']`, and prints errors to standard error. Resolves to
 * the exit code, or to undefined if the command has set `process.exitCode` itself or ends with 0.
 */
export async function runCommand(args: readonly string[]): Promise<number | undefined> {
  try {
    if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
      throw new CommandError(
        'NODE_TLS_REJECT_UNAUTHORIZED=0 disables verification of the server: unset it, and give the CA with --ca or CLAVIGER_CA',
        EXIT.usage,
      );
    }
    const program = await createProgram(args);
    await program.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    return report(error);
  }
}

/** Prints an error to standard error and returns the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has already printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  // The command was stopped because its output was closed; its error is a consequence of that.
  if (outputFailed()) return EXIT.error;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`claviger: ${message}\n`);
  if (process.env.CLAVIGER_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number') {
    return error.exitCode;
  }
  const { isClavigerError } = await import('@claviger/errors');
  if (!isClavigerError(error)) return EXIT.error;
  if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
  return exitCodeOf(error.reason);
}
