import { readFile, rm } from 'node:fs/promises';
import {
  closeTargets,
  createTemporaryDataDir,
  findRunning,
  layoutOf,
  openTargets,
  startInstallation,
} from '@claviger/installation';
import { dataDirOf } from '@claviger/installation/host-settings';
import { bootstrapAdministrator } from '@claviger/operator/operator-client';
import { CommandError } from '@claviger/terminal/exit-codes';
import type { DemoServer } from './person.ts';

/** A server for the demo, and its first administrator. */
export interface DemoInstallation {
  readonly server: DemoServer;
  readonly administrator: { readonly username: string; readonly password: string };
  /** Folder with the logs. */
  readonly logs: string;
  /** Allows targets at this address of this machine, until it is disposed. */
  openTarget(address: string): Promise<void>;
  /** Stops it; `forget` also removes its data. */
  close(forget: boolean): Promise<void>;
}

/** Starts an installation in a temporary folder, on free ports. */
export async function privateInstallation(tell: (line: string) => void): Promise<DemoInstallation> {
  const dataDir = await createTemporaryDataDir();
  const installation = await startInstallation({
    dataDir,
    environment: 'development',
    publicPort: 0,
    tell,
  }).catch((cause: Error) => {
    throw new CommandError(`${cause.message}\nthe data and logs are kept in ${dataDir}`, undefined, {
      cause,
    });
  });
  const { username, password } = await bootstrapAdministrator(
    installation.operator.configFile,
    'admin',
  ).catch(async (error: unknown) => {
    await installation.stop();
    throw error;
  });
  return {
    server: { url: installation.url, ca: await readFile(installation.caCertificate, 'utf8') },
    administrator: { username, password },
    logs: installation.layout.logs,
    openTarget: (address) => installation.openTargets(address),
    async close(forget) {
      await installation.stop();
      if (forget) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * Uses the running installation and creates its first administrator, which works only while it has no user.
 */
export async function runningInstallation(): Promise<DemoInstallation> {
  const dataDir = dataDirOf();
  const running = await findRunning(dataDir);
  if (running?.ready !== true)
    throw new CommandError('nothing is running: start it with `claviger up --detach`, or leave --here out');
  const layout = layoutOf(dataDir);
  const { configFile, logs } = layout;
  const opened: string[] = [];
  const { username, password } = await bootstrapAdministrator(configFile('operator'), 'demo-admin').catch(
    (cause: Error) => {
      throw new CommandError(
        `the demo creates the first administrator itself, but: ${cause.message}\nrun it without --here: it then starts a temporary installation`,
        undefined,
        { cause },
      );
    },
  );
  return {
    server: { url: running.url, ca: await readFile(running.caCertificate, 'utf8') },
    administrator: { username, password },
    logs,
    openTarget: async (address) => {
      await openTargets(layout, [address]);
      opened.push(address);
    },
    close: () => closeTargets(layout, opened),
  };
}
