import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Installation, type StartOptions, serviceNames } from '@claviger/installation';
import { type Network, type StartedNetwork, startNetwork } from '@claviger/testkit';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { crashed, restartReachable } from './restart.ts';

/** One installation for all fault tests of a file, each in tenants of its own. */
export interface Topology {
  readonly network: Network;
  readonly installation: Installation;
  /** Arms failpoints of a running node, e.g. `vault.rotate.before_promote=crash`; '' disarms them. */
  arm(node: string, points: string): void;
  /** Waits until a node has been killed at its failpoint, disarms it, and starts it again. */
  recover(node: string): Promise<void>;
}

/**
 * Starts the installation before the tests of the calling file, and stops it after them. A test must restart
 * what it kills or stops: it fails if it leaves a process stopped. After a failed test everything is started
 * again for the next one.
 */
export function startTopology(
  options: () => Promise<Partial<StartOptions>> | Partial<StartOptions>,
): Topology {
  let started: StartedNetwork;
  beforeAll(async () => {
    const chosen = await options();
    const nodes = nodesOf(chosen);
    const env = Object.fromEntries(nodes.map((node) => [node, { FAILPOINTS_FILE: failpointsOf(node) }]));
    started = await startNetwork({ ...chosen, env });
  });
  afterEach(async ({ task }) => {
    const stopped = await heal(started.installation);
    if (task.result?.state === 'pass')
      expect(stopped, 'the test leaves this stopped: start it again').toEqual([]);
  });
  afterAll(async () => started?.[Symbol.asyncDispose]());
  const arm: Topology['arm'] = (node, points) =>
    writeFileSync(join(started.installation.dataDir, failpointsOf(node)), points);
  return {
    get network() {
      return started.network;
    },
    get installation() {
      return started.installation;
    },
    arm,
    recover: async (node) => {
      await crashed(started.installation, node);
      arm(node, '');
      await restartReachable(started.installation, node);
    },
  };
}

/** Relative to the data folder, which is the working directory of the services. */
const failpointsOf = (node: string): string => join('run', `failpoints-${node}`);

const nodesOf = ({ replicas }: Partial<StartOptions>): string[] =>
  serviceNames.flatMap((service) =>
    Array.from({ length: replicas?.[service] ?? 1 }, (_, index) => `${service}-${index + 1}`),
  );

/** Disarms all failpoints and starts stopped processes; returns the names of the stopped ones. */
async function heal(installation: Installation): Promise<string[]> {
  const { dataDir, nodes } = installation;
  const { postgres, redis, nats } = installation.servers;
  for (const { node } of nodes) {
    rmSync(join(dataDir, failpointsOf(node)), { force: true });
    await installation.kill(node, 'SIGCONT');
  }
  const servers = [postgres, redis, nats].filter(({ pid }) => pid === undefined);
  const services = nodes.map(({ node }) => node).filter((node) => installation.pid(node) === undefined);
  if (servers.length + services.length === 0) return [];
  await Promise.all(servers.map((server) => server.start()));
  await Promise.all(services.map((node) => installation.restart(node)));
  await installation.waitUntilReady();
  return [...servers.map(({ name }) => name), ...services];
}
