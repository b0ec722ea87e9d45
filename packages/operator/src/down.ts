import { endProcess, isSameProcess, signalProcess } from '@claviger/backing-servers';
import { endLeftovers, findRunning, lockHolder } from '@claviger/installation';
import { tell } from '@claviger/terminal/output';

const stopTimeoutMs = 90_000;

/**
 * The command `down`: asks the supervisor to stop everything in order; ends processes that a dead supervisor
 * left.
 */
export async function down(dataDir: string): Promise<void> {
  const supervisor = (await findRunning(dataDir))?.supervisor ?? (await lockHolder(dataDir));
  if (supervisor === undefined) {
    const ended = await endLeftovers(dataDir);
    tell(
      ended.length === 0 ? 'nothing is running' : `ended what an earlier run had left: ${ended.join(', ')}`,
    );
    return;
  }
  tell(`stopping (supervisor ${supervisor.pid})`);
  signalProcess(supervisor.pid, 'SIGTERM');
  const deadline = Date.now() + stopTimeoutMs;
  while (Date.now() < deadline && (await isSameProcess(supervisor))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (await isSameProcess(supervisor)) {
    tell(`it did not stop within ${stopTimeoutMs / 1000} s: ending it`);
    await endProcess(supervisor, 'SIGKILL', 10_000);
  }
  await endLeftovers(dataDir);
  tell('stopped');
}
