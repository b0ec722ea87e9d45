import { startPostgresTarget, startSshTarget } from '@claviger/targets';

/** A real account on a real system, and its address for the vault. */
export interface DemoTarget extends AsyncDisposable {
  /** Part of the names of its objects. */
  readonly name: string;
  readonly title: string;
  readonly account: { readonly username: string; readonly password: string };
  readonly module: { readonly type: string; readonly config: Record<string, unknown> };
  readonly resource: {
    readonly type: string;
    readonly host: string;
    readonly port: number;
    readonly settings: Record<string, unknown>;
  };
  /** Logs in to the system directly, without Claviger. */
  accepts(password: string): Promise<boolean>;
}

const loopback = (port: number) => ({ allowedCidrs: ['127.0.0.0/8'], allowedPorts: [port] });

/** Starts a PostgreSQL server with one role. */
export async function postgresTarget(password: string): Promise<DemoTarget> {
  const target = await startPostgresTarget();
  const username = 'app_owner';
  try {
    await target.createRole(username, password);
  } catch (error) {
    await target.stop();
    throw error;
  }
  const { host, port, database, certificate } = target;
  return {
    name: 'postgres',
    title: `PostgreSQL role ${username} at ${host}:${port}`,
    account: { username, password },
    module: { type: 'postgres', config: loopback(port) },
    resource: { type: 'database', host, port, settings: { database, tls: { mode: 'pinned', certificate } } },
    accepts: (tried) => target.accepts(username, tried),
    [Symbol.asyncDispose]: () => target.stop(),
  };
}

/** Starts an OpenSSH server with one Linux account. Requires root. */
export async function sshTarget(): Promise<DemoTarget> {
  const target = await startSshTarget();
  try {
    const account = await target.createAccount();
    const { host, port, hostKeyFingerprint } = target;
    return {
      name: 'ssh',
      title: `Linux account ${account.username} behind sshd at ${host}:${port}`,
      account,
      module: { type: 'ssh', config: loopback(port) },
      resource: { type: 'server', host, port, settings: { hostKeys: [hostKeyFingerprint] } },
      accepts: (tried) => target.accepts(account.username, tried),
      [Symbol.asyncDispose]: () => target.stop(),
    };
  } catch (error) {
    await target.stop();
    throw error;
  }
}
