import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Resolves when the remote kernel has acknowledged every byte written to a TCP socket, or the signal aborts.
 * Reads this from /proc on Linux; resolves at once on other systems.
 */
export async function kernelAcknowledged(socket: Socket, signal: AbortSignal): Promise<void> {
  const { localPort, remotePort } = socket;
  if (localPort === undefined || remotePort === undefined) return;
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 50)) {
    const waiting = await unacknowledgedBytes(localPort, remotePort);
    if (waiting === undefined || waiting === 0 || signal.aborted || socket.destroyed) return;
    await pause(waitMs);
  }
}

async function unacknowledgedBytes(localPort: number, remotePort: number): Promise<number | undefined> {
  for (const table of ['tcp', 'tcp6']) {
    const text = await readFile(`/proc/self/net/${table}`, 'latin1').catch(() => '');
    for (const line of text.split('\n')) {
      const [, local, remote, , queues] = line.trim().split(/\s+/);
      if (portOf(local) !== localPort || portOf(remote) !== remotePort) continue;
      return Number.parseInt(queues!.split(':')[0]!, 16);
    }
  }
  return undefined;
}

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(':')[1] ?? '', 16);
}
