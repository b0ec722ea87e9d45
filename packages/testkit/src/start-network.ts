import { rm } from 'node:fs/promises';
import {
  createTemporaryDataDir,
  type Installation,
  type StartOptions,
  startInstallation,
} from '@claviger/installation';
import { connectNetwork, type Network, type NetworkAccess } from './network.ts';

export interface StartedNetwork extends AsyncDisposable {
  readonly installation: Installation;
  readonly network: Network;
}

/** The data other processes need to reach an installation. */
export function accessOf(installation: Installation): NetworkAccess {
  const { postgres } = installation.servers;
  return {
    urls: installation.urls,
    caCertificate: installation.caCertificate,
    operatorConfigFile: installation.operator.configFile,
    dataDir: installation.dataDir,
    postgres: {
      host: postgres.socketDir,
      port: postgres.port,
      user: postgres.superuser,
      password: postgres.password,
    },
    logFiles: installation.logFiles,
  };
}

/** Starts a separate installation in a temporary folder: real servers, all services as processes. */
export async function startNetwork(options: Partial<StartOptions> = {}): Promise<StartedNetwork> {
  const dataDir = options.dataDir ?? (await createTemporaryDataDir());
  const installation = await startInstallation({
    environment: 'test',
    rateLimits: 'off',
    ...options,
    dataDir,
  });
  const network = connectNetwork(accessOf(installation));
  return {
    installation,
    network,
    [Symbol.asyncDispose]: async () => {
      await network[Symbol.asyncDispose]();
      await installation.stop();
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
