import { randomBytes } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { type Account, serversAccount } from './account.ts';
import {
  type BackingServer,
  externalServer,
  startBackingServer,
  WrongServerError,
} from './backing-server.ts';
import { findTool } from './find-tool.ts';
import { natsConfiguration } from './nats-configuration.ts';
import { withPasswordOf } from './password-file.ts';
import { createServerFolder, readOrCreatePassword, writeServerFile } from './server-folder.ts';

export interface StartNatsOptions {
  /** The server's own folder (JetStream's files and the configuration). Created if missing. */
  readonly dataDir: string;
  readonly logFile: string;
  /** The users and the file that holds each one's password (generated when missing). Default: `operator`. */
  readonly users?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly portIsFixed?: boolean;
  readonly runAs?: Account;
  /** The environment with CLAVIGER_NATS_URL and PATH. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface NatsServer extends BackingServer {
  /** Without user and password. */
  readonly url: string;
  /** Each user's password; never shown, logged or passed as an argument. */
  readonly passwords: Readonly<Record<string, string>>;
  /** The user that may do everything. */
  readonly operator: string;
}

/**
 * Starts a NATS server with JetStream, or connects to the one in CLAVIGER_NATS_URL. Resolves when the server
 * has proved that it is the one just started.
 */
export async function startNats(options: StartNatsOptions): Promise<NatsServer> {
  const env = options.env ?? process.env;
  const url = env.CLAVIGER_NATS_URL;
  if (url !== undefined && url !== '') {
    return connectToExternal(url, env.CLAVIGER_NATS_PASSWORD_FILE, Object.keys(options.users ?? {}));
  }

  const found = await findTool('nats', env);
  if (found.where === undefined || found.version === undefined) {
    throw new Error(`NATS is missing: ${found.fix}`);
  }
  const command = found.where;
  const version = found.version;
  const account = options.runAs ?? (await serversAccount());
  await createServerFolder(options.dataDir, account);
  const folder = await realpath(options.dataDir);
  const passwords: Record<string, string> = {};
  const files = { operator: join(folder, 'password'), ...options.users };
  for (const [user, file] of Object.entries(files)) passwords[user] = await readOrCreatePassword(file);
  const configFile = join(folder, 'nats.conf');
  // Only a server that has read our configuration file knows this name.
  let serverName = '';

  const server = await startBackingServer({
    name: 'nats',
    version,
    dataDir: folder,
    logFile: options.logFile,
    account,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
    startTimeoutMs: 60_000,
    port: options.port,
    portIsFixed: options.portIsFixed ?? false,
    prepare: async (port) => {
      serverName = `claviger-${randomBytes(16).toString('hex')}`;
      const text = natsConfiguration({
        port,
        serverName,
        storeDir: join(folder, 'store'),
        version,
        passwords,
      });
      await writeServerFile(configFile, text, account);
      return { command, args: ['-c', configFile] };
    },
    verify: async (port) => {
      const info = await serverInfo(`127.0.0.1:${port}`, 'operator', passwords.operator!);
      if (info.server_name !== serverName) {
        throw new WrongServerError(`another NATS server answers on port ${port} (${info.server_id})`);
      }
      if (info.jetstream !== true) throw new Error('JetStream is not ready yet');
    },
  });
  return Object.assign(server, { url: `nats://127.0.0.1:${server.port}`, passwords, operator: 'operator' });
}

async function serverInfo(servers: string, user: string, pass: string) {
  const connection = await connect({ servers, user, pass, reconnect: false, timeout: 5_000 });
  try {
    const info = connection.info;
    if (info === undefined) throw new Error('the server sent no INFO message');
    return info;
  } finally {
    await connection.close();
  }
}

async function connectToExternal(
  text: string,
  passwordFile: string | undefined,
  users: readonly string[],
): Promise<NatsServer> {
  const url = await withPasswordOf(text, passwordFile);
  const port = Number(url.port || 4222);
  const operator = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  try {
    const info = await serverInfo(`${url.hostname}:${port}`, operator, password);
    if (info.jetstream !== true) throw new Error('JetStream is off: start it with -js');
    const [major = 0, minor = 0] = info.version.split('.').map(Number);
    if (major < 2 || (major === 2 && minor < 9)) {
      throw new Error(`it is version ${info.version}; needed is 2.9 or later`);
    }
    return Object.assign(externalServer('nats', url.hostname, port, info.version), {
      url: `nats://${url.hostname}:${port}`,
      passwords: Object.fromEntries([operator, ...users].map((user) => [user, password])),
      operator,
    });
  } catch (error) {
    throw new Error(
      `the NATS of CLAVIGER_NATS_URL (${url.hostname}:${port}) cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
