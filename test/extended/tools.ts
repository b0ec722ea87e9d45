import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const OAPI_CODEGEN = '2.8.2';

const execute = promisify(execFile);

/**
 * Returns standard output of a program. Throws with its whole output on failure; `missing` says what to
 * install.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly missing?: string } = {},
): Promise<string> {
  const { missing, ...rest } = options;
  try {
    const { stdout } = await execute(program, args, { ...rest, maxBuffer: 64 << 20 });
    return stdout;
  } catch (cause) {
    const { code, stdout = '', stderr = '' } = cause as { code?: unknown; stdout?: string; stderr?: string };
    if (code === 'ENOENT' && missing !== undefined)
      throw new Error(`There is no ${program}: ${missing}.`, { cause });
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause });
  }
}

/**
 * Folder of a Python environment with the packages of a requirements file; created once, kept for later runs.
 */
export async function pythonEnvironment(requirementsFile: string): Promise<string> {
  const missing = 'install Python 3.10 or later with venv (as root: apt-get install python3-venv)';
  const version = await run('python3', ['-c', 'import sys; print(sys.version)'], { missing });
  return kept('python', [version, readFileSync(requirementsFile, 'utf8')], async (folder) => {
    await run('python3', ['-m', 'venv', folder]).catch((cause: unknown) => {
      throw new Error(`python3 makes no environment: ${missing}.`, { cause });
    });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirementsFile];
    await run(join(folder, 'bin/python'), pip);
  });
}

/** Path of the client generator for Go; built once. */
export async function goGenerator(): Promise<string> {
  const missing = 'install Go 1.26 or later (https://go.dev/dl)';
  const version = await run('go', ['version'], { missing });
  const module = `github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v${OAPI_CODEGEN}`;
  const folder = await kept('go', [version, module], async (made) => {
    await run('go', ['install', module], { env: { ...process.env, GOBIN: made, GOFLAGS: '-mod=mod' } });
  });
  return join(folder, 'oapi-codegen');
}

/** A folder in the cache of the launcher; created again if its creation was interrupted. */
async function kept(
  kind: string,
  parts: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const digest = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
  const folder = join(cache, 'claviger', `extended-${kind}-${digest}`);
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await make(folder);
    writeFileSync(complete, '');
  }
  return folder;
}
