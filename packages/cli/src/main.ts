import { CommanderError } from 'commander';
import { CommandError, EXIT, exitCodeOf } from './exit-codes.ts';
import { createProgram } from './program.ts';

// The reader of a pipe may end first, as in `claviger status | head -1`: what it no longer wants is no crash.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exitCode = EXIT.error;
  });
}

try {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new CommandError(
      'NODE_TLS_REJECT_UNAUTHORIZED=0 lets anybody pose as the server: unset it, and name the CA with --ca or CLAVIGER_CA',
      EXIT.usage,
    );
  }
  const program = await createProgram();
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = await report(error);
}

/** Says what went wrong on standard error and answers the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
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
