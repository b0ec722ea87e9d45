import { readFileSync, statSync } from 'node:fs';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import type { PlatformRules } from './platform-rules.ts';

const MAX_BYTES = 65_536;
const MAX_TARGETS = 1_000;
/** A file that changed this recently may change again with the same time stamp. */
const SETTLED_MS = 2_000;

export interface PlatformOptions {
  /** `host:port` of the servers that the platform consists of or uses. */
  readonly ownServers: readonly string[];
  /** The operator's file: one `HOST:PORT` per line; `#` starts a comment. If absent, nothing is open. */
  readonly openTargetsFile?: string | undefined;
  /** Called once for each new problem of that file. */
  readonly onProblem?: (problem: string) => void;
}

export interface Platform {
  /** Returns the present rules: checks the file each time and reads it if it has changed. */
  rules(): PlatformRules;
  /** Why nothing is open although a file is configured; undefined if there is no problem. */
  problem(): string | undefined;
}

interface Read {
  readonly version: string;
  readonly targets: readonly Endpoint[];
  readonly problem: string | undefined;
}

/** Creates the platform's rules for all outbound connections. Throws if an own server is not `host:port`. */
export function createPlatform({ ownServers, openTargetsFile, onProblem }: PlatformOptions): Platform {
  const own = ownServers.map((text) => {
    const endpoint = parseEndpoint(text);
    if (endpoint === undefined) throw new Error(`outbound.ownServers: '${text}' is not host:port`);
    return endpoint;
  });
  let last: Read = { version: '', targets: [], problem: undefined };
  const current = (): Read => {
    if (openTargetsFile === undefined) return last;
    const before = last.problem;
    last = readOpenTargets(openTargetsFile, last);
    if (last.problem !== undefined && last.problem !== before) onProblem?.(last.problem);
    return last;
  };
  return {
    rules: () => ({ ownServers: own, openTargets: current().targets }),
    problem: () => current().problem,
  };
}

function readOpenTargets(file: string, last: Read): Read {
  const failed = (version: string, problem: string): Read => ({ version, targets: [], problem });
  try {
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return { version: '', targets: [], problem: undefined };
    const settled = Date.now() - Number(stat.mtimeMs) > SETTLED_MS;
    const version = settled ? `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : '';
    if (version !== '' && version === last.version) return last;
    if (stat.size > MAX_BYTES)
      return failed(version, `${file} is larger than ${MAX_BYTES} bytes: nothing is open`);
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim());
    const named = lines.filter((line) => line !== '');
    if (named.length > MAX_TARGETS)
      return failed(version, `${file} names more than ${MAX_TARGETS} targets: nothing is open`);
    const targets = named.map(parseEndpoint);
    const wrong = named[targets.indexOf(undefined)];
    if (wrong !== undefined)
      return failed(version, `${file}: '${wrong.slice(0, 100)}' is not HOST:PORT: nothing is open`);
    return { version, targets: targets.filter((each) => each !== undefined), problem: undefined };
  } catch (error) {
    return failed('', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}): nothing is open`);
  }
}
