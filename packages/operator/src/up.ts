import { ensureTools } from '@claviger/backing-servers';
import {
  findRunning,
  layoutOf,
  lockHolder,
  openTargets,
  type RunningInstallation,
} from '@claviger/installation';
import { CommandError } from '@claviger/terminal/exit-codes';
import { say, sayJson, tell } from '@claviger/terminal/output';
import { startDetached } from './detach.ts';
import { supervise, type UpRequest, type UpResult, untilAskedToStop } from './supervise.ts';

/** The running installation. Waits while another `up` starts it. */
async function alreadyRunning(dataDir: string): Promise<RunningInstallation | undefined> {
  const deadline = Date.now() + 180_000;
  let told = false;
  while (Date.now() < deadline) {
    const running = await findRunning(dataDir);
    if (running?.ready === true) return running;
    if (running === undefined && (await lockHolder(dataDir)) === undefined) return undefined;
    if (!told) tell('another `claviger up` is starting these services: waiting for it');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new CommandError(
    `another \`claviger up\` on ${dataDir} does not become ready: try \`claviger down\``,
  );
}

/** The command `up`. In the foreground it resolves after a signal, when everything has stopped. */
export async function up(request: UpRequest, detach: boolean, json: boolean): Promise<void> {
  const running = await alreadyRunning(request.dataDir);
  if (running !== undefined) {
    await openTargets(layoutOf(request.dataDir), request.openTargets);
    const change = request.openTargets.length > 0 ? 'the targets are open' : 'nothing was changed';
    tell(`already running at ${running.url} (supervisor ${running.supervisor.pid}); ${change}`);
    const processes = running.processes.map(({ name, identity }) => ({ name, pid: identity.pid }));
    const { url, caCertificate, dataDir } = running;
    show({ url, caCertificate, dataDir, processes }, null, json);
    return;
  }
  await ensureTools(['postgres', 'redis', 'nats'], tell);
  if (detach) {
    const result = await startDetached(request, tell);
    show(result, await setupLink(result), json);
    tell('running in the background: `claviger status` shows it, `claviger down` stops it');
    return;
  }
  const asked = untilAskedToStop();
  let signal: NodeJS.Signals | undefined;
  void asked.then((name) => {
    signal = name;
  });
  const { installation, result } = await supervise(request, tell).catch((error: unknown) => {
    // Ctrl-C also reaches the child processes, so their failures are expected.
    if (signal === undefined) throw error;
    throw new CommandError(`stopped by ${signal}: nothing was left running`);
  });
  show(result, await setupLink(result), json);
  tell('press Ctrl-C to stop');
  tell(`stopping (${await asked})`);
  await installation.stop();
}

/**
 * One-time link for the first administrator; null if there is a user. The command asks for it, because the
 * supervisor would keep the gRPC client in memory.
 */
async function setupLink({ dataDir }: UpResult): Promise<string | null> {
  const { createSetupLink } = await import('./operator-client.ts');
  try {
    return await createSetupLink(layoutOf(dataDir).configFile('operator'));
  } catch (error) {
    tell(
      `no set-up link could be made (${(error as Error).message}); \`claviger bootstrap-admin\` creates the first administrator`,
    );
    return null;
  }
}

/** Prints what runs; with `json` as one object: url, caCertificate, setupUrl, dataDir, processes. */
function show(result: UpResult, setupUrl: string | null, json: boolean): void {
  const { url, caCertificate, dataDir, processes } = result;
  if (json) return sayJson({ url, caCertificate, setupUrl, dataDir, processes });
  say(`Claviger is ready: ${url}`);
  say(`CA certificate:    ${caCertificate}`);
  if (setupUrl !== null) say(`First administrator, once: ${setupUrl}`);
}
