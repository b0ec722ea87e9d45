import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { SupervisorMessage } from './detached-supervisor.ts';
import type { UpRequest, UpResult } from './supervise.ts';

/** Starts a supervisor that outlives this process and resolves when the installation is ready. */
export async function startDetached(request: UpRequest, tell: (line: string) => void): Promise<UpResult> {
  const logs = join(request.dataDir, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const logFile = join(logs, 'supervisor.log');
  const log = openSync(logFile, 'a', 0o600);
  const child = fork(join(import.meta.dirname, 'detached-supervisor.ts'), [], {
    detached: true,
    // The supervisor needs little memory: it mostly waits.
    execArgv: [...process.execArgv, '--max-semi-space-size=1'],
    cwd: request.dataDir,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const interrupted = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
  try {
    return await new Promise<UpResult>((resolve, reject) => {
      child.on('message', (message: SupervisorMessage) => {
        if (message.kind === 'progress') tell(message.line);
        else if (message.kind === 'ready') resolve(message.result);
        else reject(new CommandError(message.message));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(
          new CommandError(`the supervisor ended (${signal ?? `code ${code}`}): see ${logFile}`, EXIT.error),
        );
      });
      child.send(request);
    });
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}
