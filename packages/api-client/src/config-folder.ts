import { chmod, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CommandError } from '@claviger/terminal/exit-codes';

/** `$XDG_CONFIG_HOME/claviger`, else `~/.config/claviger`. */
export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.config'), 'claviger');
}

/** Content of the file, or `empty` if it does not exist. */
export async function readConfigFile<T>(name: string, empty: T, env?: NodeJS.ProcessEnv): Promise<T> {
  const file = join(configFolder(env), name);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
    if (error instanceof SyntaxError)
      throw new CommandError(`${file} is not JSON any more: correct or remove it, then sign in again`);
    throw error;
  }
}

/** Replaces the file atomically. Only its owner can read it. */
export async function writeConfigFile(
  name: string,
  content: unknown,
  env?: NodeJS.ProcessEnv,
): Promise<void> {
  const folder = await ensureConfigFolder(env);
  // Loaded on demand: few commands write, and the module is large.
  const { writeAtomically } = await import('@claviger/identity');
  await writeAtomically(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
}

export async function ensureConfigFolder(env?: NodeJS.ProcessEnv): Promise<string> {
  const folder = configFolder(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return folder;
}
