import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAtomically } from '@claviger/identity';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readText } from '@claviger/terminal/text-input';

const FORM = /^cla_[A-Za-z0-9_-]{60,200}$/;

/** The token of an agent where it is kept. It stands in no argument, no variable and no log. */
export interface TokenFile {
  /**
   * The token of the moment. `fresh`: the last one was refused, so that the file is asked whether it has
   * another.
   */
  current(fresh: boolean): Promise<string>;
  /** On disk before it resolves, and never half: only then may the new token be used. */
  replace(token: string): Promise<void>;
}

/** A usage error when the file cannot be read or holds no token of an agent. */
export async function openTokenFile(file: string): Promise<TokenFile> {
  let token = await read(file);
  return {
    current: async (fresh) => {
      if (fresh) token = await read(file);
      return token;
    },
    replace: async (next) => {
      await writeAtomically(file, `${next}\n`);
      // The former token ends with the first use of the new one: its name must not come back after a crash.
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
