import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '@claviger/identity';
import {
  choosePartsFolder,
  outerPartsFolder,
  partsAccount,
  startNats,
  startPostgres,
  startRedis,
} from '@claviger/parts';
import type { Layout } from './layout.ts';
import { ensureSecrets } from './secrets.ts';
import { type Parts, partPasswordFile } from './service-config.ts';
import { type Environment, natsUsers } from './services.ts';
import { readState, type State, writeState } from './state.ts';

const isInside = (folder: string, dataDir: string) => folder.startsWith(dataDir + sep);

/**
 * Throws if this data folder is a copy whose servers' data is outside and belongs to the original: starting
 * would take the servers from the other installation.
 */
async function partsFolderOf(dataDir: string, before: State | undefined): Promise<string> {
  if (before === undefined) return choosePartsFolder(dataDir, await partsAccount());
  const remembered = resolve(dataDir, before.partsFolder);
  if (isInside(remembered, dataDir) || remembered === outerPartsFolder(dataDir)) return remembered;
  const chosen = await choosePartsFolder(dataDir, await partsAccount());
  if (existsSync(join(chosen, 'postgres'))) return chosen;
  throw new Error(
    `${dataDir} was moved or copied, but its PostgreSQL, Redis and NATS keep their data in ${remembered}: ` +
      `stop what runs on it, then mv ${remembered}/* ${chosen}/ (or copy it there with cp -a), and start again`,
  );
}

/** Starts the three servers in parallel, on their former ports if those are free. All or none. */
export async function startParts(
  layout: Layout,
  environment: Environment,
  tell: (line: string) => void,
): Promise<Parts> {
  await ensureSecrets(layout);
  const before = await readState(layout);
  if (before !== undefined && before.environment !== environment) {
    throw new Error(
      `${layout.dataDir} was made for the environment "${before.environment}", not "${environment}": choose another CLAVIGER_DATA_DIR`,
    );
  }
  const partsFolder = await partsFolderOf(layout.dataDir, before);
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
  const parts = { postgres, redis, nats } as Parts;
  if (parts.redis.external) {
    await writeAtomically(partPasswordFile('redis', true, layout), `${parts.redis.password}\n`);
  }
  if (parts.nats.external) {
    const password = parts.nats.passwords[parts.nats.operator] ?? '';
    await writeAtomically(partPasswordFile('nats', true, layout), `${password}\n`);
  }
  for (const part of [parts.postgres, parts.redis, parts.nats]) {
    tell(`${part.name} ${part.version} ${part.external ? 'reached' : 'runs'} on ${part.host}:${part.port}`);
  }
  await writeState(layout, {
    environment,
    // Relative, so that the servers' data moves with a data folder that is moved or restored elsewhere.
    partsFolder: isInside(partsFolder, layout.dataDir) ? relative(layout.dataDir, partsFolder) : partsFolder,
    ports: {
      ...before?.ports,
      postgres: parts.postgres.port,
      redis: parts.redis.port,
      nats: parts.nats.port,
    },
  });
  return parts;
}
