import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import { selfSignedCertificate } from '../postgres/certificate.ts';
import { reservePort } from '../reserve-port.ts';
import { until } from '../until.ts';
import { type RsyslogPorts, rsyslogConfig } from './rsyslog-config.ts';

/** One message as rsyslog parsed it. */
export interface SyslogRecord {
  /** tcp | tls | udp */
  readonly input: string;
  readonly priority: string;
  readonly time: string;
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
  readonly msgId: string;
  readonly structuredData: string;
  readonly message: string;
  readonly raw: string;
}

/** States in /proc/net/tcp. */
const ESTABLISHED = '01';
const LISTEN = '0A';

/**
 * A real rsyslog on loopback, which can be stopped, killed and started again on the same ports with the same
 * file.
 */
export interface RsyslogTarget extends AsyncDisposable {
  readonly host: string;
  readonly ports: RsyslogPorts;
  /** PEM, for 127.0.0.1 and localhost. */
  readonly ca: string;
  /** Where it writes: a line of JSON for each record. */
  readonly file: string;
  /** The records so far, in order, without a record that a kill left incomplete. */
  records(): Promise<SyslogRecord[]>;
  start(): Promise<void>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Pauses the process until `resume`. Linux only. */
  pause(): Promise<void>;
  resume(): void;
  /** Bytes that have arrived at its TCP port and are not read yet. Linux only. */
  unreadBytes(): Promise<number>;
}

export interface RsyslogOptions {
  /** False: only its files are created. */
  readonly started?: boolean;
  /** The longest message that it takes whole, as rsyslog writes it; default `128k`, its own is `8k`. */
  readonly maxMessageSize?: string;
}

/** Starts rsyslog. Says what to install when it is missing. */
export async function startRsyslog(options: RsyslogOptions = {}): Promise<RsyslogTarget> {
  const program = ['/usr/sbin/rsyslogd', '/usr/local/sbin/rsyslogd', '/sbin/rsyslogd'].find(existsSync);
  if (program === undefined)
    throw new Error('No rsyslog was found. Install it (Debian: apt-get install rsyslog rsyslog-gnutls).');
  const folder = await mkdtemp(join(tmpdir(), 'claviger-rsyslog-'));
  const files = {
    folder,
    output: join(folder, 'messages.jsonl'),
    certificate: join(folder, 'certificate.pem'),
    privateKey: join(folder, 'key.pem'),
  };
  const { certificate, privateKey } = await selfSignedCertificate();
  await writeFile(files.certificate, certificate);
  await writeFile(files.privateKey, privateKey, { mode: 0o600 });
  const config = join(folder, 'rsyslog.conf');
  const reserved = [await reservePort(), await reservePort(), await reservePort()] as const;
  const [tcp, tls, udp] = [reserved[0].port, reserved[1].port, reserved[2].port];
  const ports = { tcp, tls, udp };
  await writeFile(config, rsyslogConfig(files, ports, options.maxMessageSize ?? '128k'));
  let server: OwnedProcess | undefined;
  const stop: RsyslogTarget['stop'] = async (signal = 'SIGTERM') => {
    await server?.stop(signal);
    server = undefined;
  };
  const start = async () => {
    // A kill during a write leaves half a record, and the next record would follow on the same line.
    await cutAfterLastLine(files.output);
    const started = await startOwned(program, ['-n', '-iNONE', '-f', config]);
    server = started;
    await until('rsyslog ready', async () => {
      if (!started.running()) throw new Error(started.log().slice(-500));
      return (await accepts(tcp)) && (await accepts(tls));
    });
  };
  const runningPid = () => {
    if (!server?.running()) throw new Error('rsyslog does not run');
    return server.pid;
  };
  const dispose = async () => {
    await stop();
    for (const port of reserved) port[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (options.started !== false) await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    host: '127.0.0.1',
    ports,
    ca: certificate,
    file: files.output,
    start,
    stop,
    pause: async () => {
      const pid = runningPid();
      process.kill(pid, 'SIGSTOP');
      await until('rsyslog standing still', () => standsStill(pid));
    },
    resume: () => void process.kill(runningPid(), 'SIGCONT'),
    unreadBytes: () => unreadBytes(tcp),
    records: async () => {
      const text = (await readFile(files.output, 'utf8').catch(unlessMissing)) ?? '';
      // A last line without its end is still being written.
      const lines = text.split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line) as SyslogRecord);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function cutAfterLastLine(path: string): Promise<void> {
  const written = await readFile(path).catch(unlessMissing);
  if (written !== undefined) await truncate(path, written.lastIndexOf(0x0a) + 1);
}

/** Of a file that is not there yet; any other error is thrown. */
function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

/** Whether a stop signal has reached every thread. */
async function standsStill(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const states = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')),
  );
  return states.every((stat) => stat.slice(stat.lastIndexOf(')')).startsWith(') T'));
}

async function unreadBytes(port: number): Promise<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const table = await readFile('/proc/self/net/tcp', 'latin1');
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address === local && state !== LISTEN)
    .map(([, , , state, queues]) => {
      const waiting = Number.parseInt(queues!.split(':')[1]!, 16);
      // The end of a connection counts as a byte there.
      return state === ESTABLISHED ? waiting : Math.max(waiting - 1, 0);
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
