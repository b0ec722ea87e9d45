import { Readable, Writable } from 'node:stream';
import { runCommand } from './run-command.ts';

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  /** Standard output as it came. */
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** What a command sees of the process: its whole environment, its standard input, its working directory. */
export interface CommandSurroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly cwd?: string;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command in this process, which is much cheaper than a process of its own. One after the other, also
 * where several are asked for at once, because they share the environment and the streams of the process.
 * What concerns the process itself (signals, a full disk, several commands at once) needs the real one,
 * `main.ts`.
 */
export function runInProcess(args: readonly string[], around: CommandSurroundings): Promise<CommandOutcome> {
  const run = last.then(() => runNow(args, around));
  last = run.catch(() => {});
  return run;
}

async function runNow(args: readonly string[], around: CommandSurroundings): Promise<CommandOutcome> {
  const [stdout, stderr] = [collect(), collect()];
  const input = around.input ?? '';
  const stdin = Readable.from(input.length === 0 ? [] : [Buffer.from(input as string)], {
    objectMode: false,
  });
  const { env, exitCode } = process;
  const cwd = process.cwd();
  const streams = ['stdin', 'stdout', 'stderr'].map(
    (name) => [name, Object.getOwnPropertyDescriptor(process, name)!] as const,
  );
  try {
    for (const [name, value] of Object.entries({ stdin, stdout: stdout.stream, stderr: stderr.stream }))
      Object.defineProperty(process, name, { value, configurable: true });
    process.env = { ...around.env };
    process.exitCode = undefined;
    if (around.cwd !== undefined) process.chdir(around.cwd);
    const code = await runCommand(args);
    const bytes = stdout.bytes();
    return {
      code: code ?? Number(process.exitCode ?? 0),
      stdout: bytes.toString('utf8'),
      bytes,
      stderr: stderr.bytes().toString('utf8'),
    };
  } finally {
    for (const [name, descriptor] of streams) Object.defineProperty(process, name, descriptor);
    process.env = env;
    process.exitCode = exitCode;
    process.chdir(cwd);
  }
}

function collect() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}
