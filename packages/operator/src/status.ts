import { connect } from 'node:net';
import { isSameProcess } from '@claviger/backing-servers';
import { findRunning, type RunningProcess } from '@claviger/installation';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say, sayJson, table, tell } from '@claviger/terminal/output';

/** Whether a port of 127.0.0.1 accepts a connection. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2_000 });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}

type State = 'ready' | 'sealed' | 'restore unfinished' | 'not ready' | 'ended';

/** `ready`, `sealed`, `restore unfinished`, `not ready` (the process runs) or `ended`. */
async function stateOf(running: RunningProcess): Promise<State> {
  if (!(await isSameProcess(running.identity))) return 'ended';
  if (running.healthUrl !== undefined) {
    try {
      const answer = await fetch(`${running.healthUrl}/ready`, { signal: AbortSignal.timeout(3_000) });
      if (answer.ok) return 'ready';
      const status = (await answer.text()).trim();
      if (status === 'restore_unfinished') return 'restore unfinished';
      return status === 'sealed' ? 'sealed' : 'not ready';
    } catch {
      return 'not ready';
    }
  }
  return running.port === undefined || (await accepts(running.port)) ? 'ready' : 'not ready';
}

/** The command `status`. */
export async function status(dataDir: string, json: boolean): Promise<ExitCode> {
  const running = await findRunning(dataDir);
  if (running === undefined) {
    if (json) sayJson({ running: false, ready: false, dataDir, processes: [] });
    else tell(`nothing is running on ${dataDir}: start it with \`claviger up\``);
    return EXIT.error;
  }
  const processes = await Promise.all(
    running.processes.map(async (each) => ({
      name: each.name,
      pid: each.identity.pid,
      state: await stateOf(each),
    })),
  );
  const ready = running.ready && processes.every((each) => each.state === 'ready');
  const { url, caCertificate } = running;
  if (json) sayJson({ running: true, ready, url, caCertificate, dataDir: running.dataDir, processes });
  else {
    say(`${url}  ${ready ? 'ready' : 'not ready'}`);
    say(
      table([
        ['NAME', 'PID', 'STATE'],
        ...processes.map((each) => [each.name, String(each.pid), each.state]),
      ]),
    );
    if (processes.some((each) => each.state === 'sealed'))
      tell('what is sealed waits for its root key: `claviger unseal` says what is missing');
    if (processes.some((each) => each.state === 'restore unfinished'))
      tell(
        'the database was restored to an older state: `claviger restore finish` ends what may have ended since',
      );
  }
  return ready ? EXIT.ok : EXIT.error;
}
