import * as health from '@claviger/contracts/cluster/v1/health';
import { type BaseConfig, createLogger, createRpcServer, type RpcServer } from '@claviger/service-kit';

/** What a replica does with a call, given its request id; the node in the answer is what this returns. */
export type Answer = (requestId: string) => string | Promise<string>;

/** A real RPC server with the health service alone: one replica of a service, as its callers see it. */
export async function serveHealth(config: BaseConfig, answer: Answer): Promise<RpcServer & { port: number }> {
  const server = createRpcServer({
    config,
    logger: createLogger({ service: 'vault', node: config.node, level: 'silent' }),
    verifyActor: async () => {
      throw new Error('no call here has an actor');
    },
    recordOutcome: async () => {},
  });
  server.add(health.HealthService, {
    getHealth: async (_, { requestId }) => ({
      service: 'vault',
      node: await answer(requestId),
      version: '',
      status: 'ok',
      checks: [],
    }),
  });
  return { ...server, port: await server.listen() };
}

// As a process of its own: counts its calls, and tells its port.
if (import.meta.main) {
  let calls = 0;
  const { port } = await serveHealth(JSON.parse(process.argv[2]!), () => String(++calls));
  process.stdout.write(`${port}\n`);
}
