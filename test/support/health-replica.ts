import * as health from '@claviger/contracts/cluster/v1/health';
import { type BaseConfig, createLogger, createRpcServer, type RpcServer } from '@claviger/service-kit';

/** Handles a call with this request id; the answer names the returned value as its node. */
export type Answer = (requestId: string) => string | Promise<string>;

/** A real RPC server with only the health service; callers see it as one replica of a service. */
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

// When run as a process, it counts its calls and prints its port.
if (import.meta.main) {
  let calls = 0;
  const { port } = await serveHealth(JSON.parse(process.argv[2]!), () => String(++calls));
  process.stdout.write(`${port}\n`);
}
