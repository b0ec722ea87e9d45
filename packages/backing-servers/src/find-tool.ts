import { access, constants, readdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { runProgram } from './run-program.ts';
import { type Tool, type ToolName, tools } from './tools.ts';

/** Where a tool was found. */
export interface Found {
  readonly name: ToolName;
  readonly title: string;
  readonly found: boolean;
  /** `url`: a server named in the environment; `local`: a program on this machine. */
  readonly source: 'url' | 'local' | 'missing';
  /** The program's path, or the URL without its password. */
  readonly where: string | undefined;
  /** E.g. "15.14"; `undefined` for a URL before the first connection. */
  readonly version: string | undefined;
  /** What to do if it was not found. */
  readonly fix: string | undefined;
}

/** The folders to search: those of PATH, and the known ones with `*` filled in, highest number first. */
async function searchFolders(tool: Tool, path: string): Promise<string[]> {
  const found: string[] = path.split(delimiter).filter((folder) => folder !== '');
  for (const pattern of tool.folders) {
    const segments = pattern.split('/');
    const star = segments.findIndex((segment) => segment.includes('*'));
    if (star < 0) {
      found.push(pattern);
      continue;
    }
    const parent = segments.slice(0, star).join('/');
    const prefix = segments[star]!.replace('*', '');
    const names = await readdir(parent).catch(() => []);
    const numberOf = (name: string) => Number.parseFloat(name.slice(prefix.length));
    for (const name of names
      .filter((each) => each.startsWith(prefix))
      .sort((a, b) => numberOf(b) - numberOf(a))) {
      found.push([parent, name, ...segments.slice(star + 1)].join('/'));
    }
  }
  return [...new Set(found)];
}

const isAccessible = (path: string, mode: number) =>
  access(path, mode).then(
    () => true,
    () => false,
  );
const isProgram = (path: string) => isAccessible(path, constants.X_OK);

/** Whether the files that the tool needs are there, seen from the folder of its program. */
async function isComplete(tool: Tool, folder: string): Promise<boolean> {
  const [programs, files] = await Promise.all([
    Promise.all(tool.besides.map((name) => isProgram(join(folder, name)))),
    Promise.all((tool.oneOf ?? []).map((path) => isAccessible(join(folder, path), constants.R_OK))),
  ]);
  return !programs.includes(false) && (files.length === 0 || files.includes(true));
}

/**
 * Returns the first dotted number in the output of a program, e.g. "15.14" of "postgres (PostgreSQL) 15.14
 * (Debian)".
 */
export function parseVersion(text: string): string | undefined {
  return /(\d+(?:\.\d+)+|\b\d+\b)/.exec(text)?.[1];
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

/** How to install a tool on this machine, in one sentence. */
export function howToGet(tool: Tool): string {
  const url =
    tool.urlVariable === undefined
      ? ''
      : `, or set ${tool.urlVariable} to a server (e.g. ${tool.urlExample})`;
  const install =
    process.platform === 'darwin'
      ? `brew install ${tool.brewPackages.join(' ')}`
      : `as root: apt-get install ${tool.debianPackages.join(' ')}`;
  return `${install}${url}`;
}

/**
 * Searches a tool: the URL in the environment, then the programs on this machine that are new enough.
 * `accept` can reject a version. Never installs anything.
 */
export async function findTool(
  name: ToolName,
  env: NodeJS.ProcessEnv = process.env,
  accept: (version: string) => boolean = () => true,
): Promise<Found> {
  const tool = tools[name];
  const base = { name, title: tool.title } as const;
  const url = tool.urlVariable === undefined ? undefined : env[tool.urlVariable];
  if (url !== undefined && url !== '') {
    return {
      ...base,
      found: true,
      source: 'url',
      where: hidePassword(url),
      version: undefined,
      fix: undefined,
    };
  }
  let tooOld: string | undefined;
  for (const folder of await searchFolders(tool, env.PATH ?? '')) {
    const candidate = join(folder, tool.program);
    if (!(await isProgram(candidate))) continue;
    // A link may lead to a folder with the other programs. If none are needed, the link's own name is kept:
    // Debian's redis-server is a link to a program that checks the name it was called by.
    const resolved = await realpath(candidate);
    if (!(await isComplete(tool, dirname(resolved)))) continue;
    const path = tool.besides.length === 0 ? candidate : resolved;
    const answer = await runProgram(path, tool.versionArgs);
    const version = parseVersion(`${answer.stdout} ${answer.stderr}`) ?? 'unknown';
    if (isAtLeast(version, tool.atLeast) && accept(version)) {
      return { ...base, found: true, source: 'local', where: path, version, fix: undefined };
    }
    tooOld ??= `${path} is version ${version}; needed is ${tool.atLeast.join('.')} or later. `;
  }
  return {
    ...base,
    found: false,
    source: 'missing',
    where: undefined,
    version: undefined,
    fix: `${tooOld ?? ''}${howToGet(tool)}`,
  };
}

/** A URL without its password. */
export function hidePassword(url: string): string {
  if (!URL.canParse(url)) return '(not a URL)';
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}
