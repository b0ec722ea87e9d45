import { spawn } from 'node:child_process';

/** Runs a program to its end; throws with its error output if it fails. Secrets are passed in `input`. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly uid?: number; readonly gid?: number } = {},
): Promise<string> {
  const { uid, gid } = options;
  const child = spawn(program, args, {
    cwd: '/',
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' },
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve(stdout);
    else reject(new Error(`${program} ended with code ${code}: ${stderr.trim()}`));
  });
  // A program that ends without reading its input is reported by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return promise;
}
