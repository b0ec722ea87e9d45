import { fstatSync, writeSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { EXIT } from './exit-codes.ts';

let failed = false;

/** Whether standard output has refused a part of the answer. */
export function outputFailed(): boolean {
  return failed;
}

/**
 * Ends the command with exit code 1 when standard output takes no more: with one line on standard error, or
 * silently when its reader has ended, as in `claviger status | head -1`. A command that stops what it started
 * is asked to stop as by SIGTERM. Nothing is lost in silence: what a file takes only in part is written on,
 * until it is whole or refused.
 */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) writeWhole(stream);
  process.stdout.on('error', endCommand);
  let silenced = false;
  // Nothing can be said of it; the command goes on.
  process.stderr.on('error', () => {
    silenced = true;
  });
  process.on('exit', () => {
    if (failed || silenced) process.exitCode ||= EXIT.error;
  });
}

/**
 * Node.js writes to a file once, and leaves out what the file did not take of it. Pipes and terminals are
 * written on.
 */
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
      `claviger: standard output takes no more (${why}): the answer is not whole. What the command did stands; make room, or write elsewhere\n`,
    );
  }
  if (process.listenerCount('SIGTERM') === 0) process.exit();
  process.emit('SIGTERM', 'SIGTERM');
}
