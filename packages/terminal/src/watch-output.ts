import { fstatSync, writeSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { EXIT } from './exit-codes.ts';

let failed = false;

/** Whether standard output has refused a part of the answer. */
export function outputFailed(): boolean {
  return failed;
}

/**
 * Ends the command with exit code 1 if standard output cannot be written: with one line on standard error, or
 * without it if the reader has ended, as in `claviger status | head -1`. A command that handles SIGTERM is
 * stopped in the same way. Partial writes to a file are continued until they are complete or fail.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) writeWhole(stream);
  process.stdout.on('error', endCommand);
  let silenced = false;
  // Standard error cannot report its own failure; the command continues.
  process.stderr.on('error', () => {
    silenced = true;
  });
  process.on('exit', () => {
    if (failed || silenced) process.exitCode ||= EXIT.error;
  });
}

/** For files, Node.js ignores a partial write; this continues it. Pipes and terminals need no change. */
function writeWhole(stream: NodeJS.WriteStream & { readonly fd: number }): void {
  const kind = fstatSync(stream.fd);
  if (kind.isFIFO() || kind.isSocket() || stream.isTTY) return;
  stream._write = (chunk: Uint8Array, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(stream.fd, chunk, at);
    } catch (error) {
      return done(error as Error);
    }
    done();
  };
}

function endCommand(error: NodeJS.ErrnoException): void {
  if (failed) return;
  failed = true;
  if (error.code !== 'EPIPE') {
    const why = error.errno === undefined ? error.message : getSystemErrorMessage(error.errno);
    process.stderr.write(
      `claviger: standard output cannot be written (${why}): the answer is incomplete, but the command had its effect; free space, or write elsewhere\n`,
    );
  }
  if (process.listenerCount('SIGTERM') === 0) process.exit();
  process.emit('SIGTERM', 'SIGTERM');
}
