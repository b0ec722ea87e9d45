import { Client } from '@claviger/postgres-client';
import type { DatabaseOptions } from './database.ts';

const RECONNECT_MS = 500;
const MAX_RECONNECT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;

export interface Listener extends AsyncDisposable {
  /** Whether notifications reach this process now. */
  readonly connected: boolean;
}

/**
 * Receives the notifications of one channel on its own connection, which is reopened when lost. `onConnect`
 * runs after each connect: notifications in between were missed, so check for changes then.
 */
export function listen(
  options: Pick<DatabaseOptions, 'host' | 'port' | 'name' | 'user' | 'password' | 'applicationName'>,
  channel: string,
  handlers: { onNotification(payload: string): void; onConnect(): void },
): Listener {
  let client: Client | undefined;
  let connected = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let waitMs = RECONNECT_MS;
  let connecting = Promise.resolve();

  const again = (lost: Client): void => {
    if (client !== lost) return;
    client = undefined;
    connected = false;
    lost.end().catch(() => {});
    if (stopped) return;
    timer = setTimeout(start, waitMs).unref();
    waitMs = Math.min(waitMs * 2, MAX_RECONNECT_MS);
  };
  const connect = async (): Promise<void> => {
    const made = new Client({
      host: options.host,
      port: options.port,
      database: options.name,
      user: options.user,
      password: options.password,
      application_name: options.applicationName,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    client = made;
    made.on('error', () => again(made));
    made.on('end', () => again(made));
    made.on('notification', ({ payload }) => handlers.onNotification(payload ?? ''));
    try {
      await made.connect();
      await made.query(`LISTEN ${made.escapeIdentifier(channel)}`);
      if (client !== made || stopped) return;
      connected = true;
      waitMs = RECONNECT_MS;
      handlers.onConnect();
    } catch {
      again(made);
    }
  };
  const start = (): void => {
    connecting = connect();
  };
  start();

  return {
    get connected() {
      return connected;
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      clearTimeout(timer);
      await connecting;
      const last = client;
      client = undefined;
      await last?.end().catch(() => {});
    },
  };
}
