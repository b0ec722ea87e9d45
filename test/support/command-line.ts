import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOutcome, runInProcess } from '@claviger/cli/test-in-process';
import type { NetworkAccess, TestUser } from '@claviger/testkit';

/** Runs commands with a configuration folder of their own, as a given user. */
export interface CommandLine extends Disposable {
  readonly folder: string;
  /** Writes this JSON to a file in the folder; returns its path. */
  file(name: string, content: unknown): string;
  run(who: TestUser, ...args: string[]): Promise<CommandOutcome>;
  /** Runs a command that must succeed; returns the JSON that it prints. */
  json(who: TestUser, ...args: string[]): Promise<Record<string, unknown>>;
}

export function commandLine(access: NetworkAccess): CommandLine {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-commands-'));
  const run: CommandLine['run'] = async (who, ...args) => {
    const token = await who.freshToken();
    return runInProcess(args, {
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        CLAVIGER_ADDR: access.urls[0]!,
        CLAVIGER_CA: access.caCertificate,
        CLAVIGER_TOKEN: token,
      },
    });
  };
  return {
    folder,
    file: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, JSON.stringify(content));
      return path;
    },
    run,
    json: async (who, ...args) => {
      const { code, stdout, stderr } = await run(who, ...args, '-o', 'json');
      if (code !== 0) throw new Error(`claviger ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
