import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import {
  chooseServersFolder,
  outerServersFolder,
  serversAccount,
  startNats,
  startPostgres,
  startRedis,
} from '@claviger/backing-servers';
import { writeAtomically } from '@claviger/identity';
import type { Layout } from './layout.ts';
import { ensureSecrets } from './secrets.ts';
import { type BackingServers, serverPasswordFile } from './service-config.ts';
import { type Environment, natsUsers } from './services.ts';
import { readState, type State, writeState } from './state.ts';

const isInside = (folder: string, dataDir: string) => folder.startsWith(dataDir + sep);

/**
 * Throws if this data folder is a copy whose servers' data is outside and belongs to the original: starting
 * would take the servers from the other installation.
 */
async function serversFolderOf(dataDir: string, before: State | undefined): Promise<string> {
  if (before === undefined) return chooseServersFolder(dataDir, await serversAccount());
  const remembered = resolve(dataDir, before.partsFolder);
  if (isInside(remembered, dataDir) || remembered === outerServersFolder(dataDir)) return remembered;
  const chosen = await chooseServersFolder(dataDir, await serversAccount());
  if (existsSync(join(chosen, 'postgres'))) return chosen;
  throw new Error(
    `${dataDir} was moved or copied, but its PostgreSQL, Redis and NATS keep their data in ${remembered}: ` +
      `stop what runs on it, then mv ${remembered}/* ${chosen}/ (or copy it there with cp -a), and start again`,
  );
}

/** Starts the three servers in parallel, on their former ports if those are free. All or none. */
export async function startBackingServers(
  layout: Layout,
  environment: Environment,
  tell: (line: string) => void,
): Promise<BackingServers> {
  await ensureSecrets(layout);
  const before = await readState(layout);
  if (before !== undefined && before.environment !== environment) {
    throw new Error(
      `${layout.dataDir} was made for the environment "${before.environment}", not "${environment}": choose another CLAVIGER_DATA_DIR`,
    );
  }
  const partsFolder = await serversFolderOf(layout.dataDir, before);
  const common = (name: string) => ({
    dataDir: join(partsFolder, name),
    logFile: layout.logFile(name),
    ...(before?.ports[name] === undefined ? {} : { port: before.ports[name] }),
  });
  const started = await Promise.allSettled([
    startPostgres({
      ...common('postgres'),
      passwordFile: layout.secret('postgres-superuser'),
      // Tests kill processes, but never the machine.
      fsync: environment !== 'test',
    }),
    startRedis({ ...common('redis'), passwordFile: layout.secret('redis') }),
    startNats({
      ...common('nats'),
      users: Object.fromEntries(natsUsers.map((user) => [user, layout.natsPassword(user)])),
    }),
  ]);
  const failed = started.filter((each) => each.status === 'rejected');
  if (failed.length > 0) {
    await Promise.all(started.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)));
    throw new Error(failed.map((each) => (each.reason as Error).message).join('\n'), {
      cause: failed[0]?.reason,
    });
  }
  const [postgres, redis, nats] = started.map((each) =>
    each.status === 'fulfilled' ? each.value : undefined,
  );
  const servers = { postgres, redis, nats } as BackingServers;
  if (servers.redis.external) {
    await writeAtomically(serverPasswordFile('redis', true, layout), `${servers.redis.password}\n`);
  }
  if (servers.nats.external) {
    const password = servers.nats.passwords[servers.nats.operator] ?? '';
    await writeAtomically(serverPasswordFile('nats', true, layout), `${password}\n`);
  }
  for (const server of [servers.postgres, servers.redis, servers.nats]) {
    tell(
      `${server.name} ${server.version} ${server.external ? 'reached' : 'runs'} on ${server.host}:${server.port}`,
    );
  }
  await writeState(layout, {
    environment,
    // Relative, so that the servers' data moves with a data folder that is moved or restored elsewhere.
    partsFolder: isInside(partsFolder, layout.dataDir) ? relative(layout.dataDir, partsFolder) : partsFolder,
    ports: {
      ...before?.ports,
      postgres: servers.postgres.port,
      redis: servers.redis.port,
      nats: servers.nats.port,
    },
  });
  return servers;
}
