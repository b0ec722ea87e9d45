/**
 * Named points where a test may make this process crash, fail, stand still or wait. Off unless FAILPOINTS is set, which a production
 * configuration refuses. Form: `vault.rotate.after_target_change=crash@1,other.point=error`; `@n` acts from the n-th pass on.
 */
const armed = new Map<string, { action: string; at: number; passes: number }>();
for (const part of (process.env.FAILPOINTS ?? '').split(',').filter(Boolean)) {
  const [name, action = ''] = part.split('=');
  const [what = '', at = '1'] = action.split('@');
  if (!['crash', 'error', 'hang', 'stop'].includes(what) || !(Number(at) >= 1))
    throw new Error(`FAILPOINTS: ${part} is not of the form name=crash|error|hang|stop[@n].`);
  armed.set(name!, { action: what, at: Number(at), passes: 0 });
}

/** Throws when failpoints are set in production. Call once at start. */
export function refuseFailpointsInProduction(environment: string): void {
  if (armed.size > 0 && environment === 'production') {
    throw new Error('FAILPOINTS is set, which a production configuration refuses. Unset it.');
  }
}

/**
 * Acts when the point is armed: `crash` kills the process at once, `error` throws, `hang` never returns,
 * `stop` stops the process as SIGSTOP does: it goes on here, much later, with SIGCONT.
 */
export async function failpoint(name: string): Promise<void> {
  const point = armed.get(name);
  if (!point) return;
  point.passes += 1;
  if (point.passes < point.at) return;
  if (point.action === 'crash') process.kill(process.pid, 'SIGKILL');
  if (point.action === 'stop' && point.passes === point.at) process.kill(process.pid, 'SIGSTOP');
  if (point.action === 'hang' || point.action === 'crash') await new Promise(() => {});
  if (point.action === 'error') throw new Error(`failpoint ${name}`);
}
