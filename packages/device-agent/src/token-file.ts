import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAtomically } from '@claviger/identity';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readText } from '@claviger/terminal/text-input';

const FORM = /^cla_[A-Za-z0-9_-]{60,200}$/;

/** The file with the token of an agent. The token is in no argument, environment variable or log. */
export interface TokenFile {
  /** The current token. `fresh`: the last one was refused, so the file is read again. */
  current(fresh: boolean): Promise<string>;
  /** Replaces the token atomically, on disk before it resolves: only then may the new token be used. */
  replace(token: string): Promise<void>;
}

/** Throws a usage error if the file cannot be read or contains no agent token. */
export async function openTokenFile(file: string): Promise<TokenFile> {
  let token = await read(file);
  return {
    current: async (fresh) => {
      if (fresh) token = await read(file);
      return token;
    },
    replace: async (next) => {
      await writeAtomically(file, `${next}\n`);
      // The first use of the new token ends the former one, so the former file must not reappear after a
      // crash.
      await using folder = await open(dirname(file));
      await folder.sync();
      token = next;
    },
  };
}

async function read(file: string): Promise<string> {
  const token = (await readText(file)).trim();
  if (FORM.test(token)) return token;
  throw new CommandError(
    `${file} holds no token of an agent (cla_…): \`claviger devices enrol\` and \`claviger devices rotate-token\` write one`,
    EXIT.usage,
  );
}
