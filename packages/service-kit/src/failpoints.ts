import { readFileSync } from 'node:fs';

/**
 * A file in which a test arms failpoints of a running process. The path is relative to the working directory;
 * the file may be missing.
 */
const file = process.env.FAILPOINTS_FILE;

interface Failpoint {
  readonly action: string;
  readonly at: number;
  passes: number;
}

let text = process.env.FAILPOINTS ?? '';
let armed = parse(text);

/** Format: `vault.rotate.after_target_change=crash@1,other.point=error`; `@n` acts from the n-th pass on. */
function parse(points: string): Map<string, Failpoint> {
  const parsed = new Map<string, Failpoint>();
  for (const part of points.trim().split(',').filter(Boolean)) {
    const [name, action = ''] = part.split('=');
    const [what = '', at = '1'] = action.split('@');
    if (!['crash', 'error', 'hang', 'stop'].includes(what) || !(Number(at) >= 1))
      throw new Error(`FAILPOINTS: ${part} is not of the form name=crash|error|hang|stop[@n].`);
    parsed.set(name!, { action: what, at: Number(at), passes: 0 });
  }
  return parsed;
}

/** Reads the file again, if one is set. Changed text replaces all points and resets their counts. */
function armedNow(): Map<string, Failpoint> {
  if (file === undefined) return armed;
  let now = '';
  try {
    now = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (now !== text) {
    armed = parse(now);
    text = now;
  }
  return armed;
}

/** Throws when failpoints are set in production. Call it once at start. */
export function refuseFailpointsInProduction(environment: string): void {
  if ((armed.size > 0 || file !== undefined) && environment === 'production') {
    throw new Error('FAILPOINTS or FAILPOINTS_FILE is set, but the environment is production. Unset it.');
  }
}

/**
 * A named point where a test can make this process crash, fail, hang or stop. FAILPOINTS lists the points;
 * FAILPOINTS_FILE names a file with them, read at each pass. Production configurations refuse both. `crash`
 * kills the process, `error` throws, `hang` never returns, `stop` sends SIGSTOP: the process continues here
 * after SIGCONT.
 */
export async function failpoint(name: string): Promise<void> {
  const point = armedNow().get(name);
  if (!point) return;
  point.passes += 1;
  if (point.passes < point.at) return;
  if (point.action === 'crash') process.kill(process.pid, 'SIGKILL');
  if (point.action === 'stop' && point.passes === point.at) process.kill(process.pid, 'SIGSTOP');
  if (point.action === 'hang' || point.action === 'crash') await new Promise(() => {});
  if (point.action === 'error') throw new Error(`failpoint ${name}`);
}
