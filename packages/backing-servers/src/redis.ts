import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Account, serversAccount } from './account.ts';
import {
  type BackingServer,
  externalServer,
  startBackingServer,
  WrongServerError,
} from './backing-server.ts';
import { findTool, parseVersion } from './find-tool.ts';
import { withPasswordOf } from './password-file.ts';
import { createServerFolder, readOrCreatePassword, writeServerFile } from './server-folder.ts';

export interface StartRedisOptions {
  /** The server's own folder (data and configuration). Created if missing. */
  readonly dataDir: string;
  readonly logFile: string;
  /** Holds the password; generated when missing. Default: `password` in `dataDir`. */
  readonly passwordFile?: string;
  readonly port?: number;
  readonly portIsFixed?: boolean;
  readonly runAs?: Account;
  /** The environment with CLAVIGER_REDIS_URL and PATH. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface RedisServer extends BackingServer {
  readonly password: string;
  /** With the password: never shown, logged or passed as an argument. */
  readonly url: string;
}

/**
 * Starts a Redis (append-only file on, no eviction), or connects to the one in CLAVIGER_REDIS_URL. Resolves
 * when the server has proved that it is the process just started.
 */
export async function startRedis(options: StartRedisOptions): Promise<RedisServer> {
  const env = options.env ?? process.env;
  const url = env.CLAVIGER_REDIS_URL;
  if (url !== undefined && url !== '') return connectToExternal(url, env.CLAVIGER_REDIS_PASSWORD_FILE);

  const found = await findTool('redis', env);
  if (found.where === undefined || found.version === undefined) {
    throw new Error(`Redis is missing: ${found.fix}`);
  }
  const command = found.where;
  const account = options.runAs ?? (await serversAccount());
  await createServerFolder(options.dataDir, account);
  const folder = await realpath(options.dataDir);
  const password = await readOrCreatePassword(options.passwordFile ?? join(folder, 'password'));
  const configFile = join(folder, 'redis.conf');

  const server = await startBackingServer({
    name: 'redis',
    version: found.version,
    dataDir: folder,
    logFile: options.logFile,
    account,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 15_000,
    startTimeoutMs: 60_000,
    port: options.port,
    portIsFixed: options.portIsFixed ?? false,
    prepare: async (port) => {
      const lines = [
        'bind 127.0.0.1',
        'protected-mode yes',
        `port ${port}`,
        `requirepass ${password}`,
        `dir "${folder}"`,
        'appendonly yes',
        'appendfsync everysec',
        'save ""',
        'maxmemory-policy noeviction',
        'daemonize no',
        'logfile ""',
      ];
      await writeServerFile(configFile, `${lines.join('\n')}\n`, account);
      return { command, args: [configFile] };
    },
    verify: async (port, pid) => {
      await withRedis({ host: '127.0.0.1', port, password }, async (client) => {
        const dir = (await client.call('CONFIG', 'GET', 'dir')) as string[];
        const info = await client.info('server');
        if (dir[1] !== folder || !info.includes(`process_id:${pid}\r\n`)) {
          throw new WrongServerError(`another Redis answers on port ${port} (its folder: ${dir[1]})`);
        }
        if ((await client.info('persistence')).includes('loading:1')) throw new Error('it is still loading');
      });
    },
  });
  return Object.assign(server, { password, url: `redis://:${password}@127.0.0.1:${server.port}` });
}

/** A single connection that fails at once instead of retrying. */
async function withRedis(
  address: { host: string; port: number; password?: string; username?: string; db?: number },
  use: (client: Redis) => Promise<void>,
): Promise<void> {
  const client = new Redis({
    ...address,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    enableOfflineQueue: false,
  });
  let lastError: Error | undefined;
  client.on('error', (error) => {
    lastError = error;
  });
  try {
    await client.connect().catch((error: Error) => {
      throw lastError ?? error;
    });
    await use(client);
  } finally {
    client.disconnect();
  }
}

async function connectToExternal(text: string, passwordFile: string | undefined): Promise<RedisServer> {
  const url = await withPasswordOf(text, passwordFile);
  if (url.protocol !== 'redis:') throw new Error('CLAVIGER_REDIS_URL must begin with redis://');
  const port = Number(url.port || 6379);
  const password = decodeURIComponent(url.password);
  let version = 'unknown';
  try {
    await withRedis(
      { host: url.hostname, port, ...(password === '' ? {} : { password }) },
      async (client) => {
        const info = await client.info('server');
        version = parseVersion(/redis_version:(\S+)/.exec(info)?.[1] ?? '') ?? 'unknown';
        if (Number(version.split('.')[0]) < 7)
          throw new Error(`it is version ${version}; needed is 7 or later`);
      },
    );
  } catch (error) {
    throw new Error(
      `the Redis of CLAVIGER_REDIS_URL (${url.hostname}:${port}) cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return Object.assign(externalServer('redis', url.hostname, port, version), { password, url: url.href });
}
