export { type Account, canTraverse, serversAccount } from './account.ts';
export type { BackingServer, ServerName } from './backing-server.ts';
export { type Child, type ChildExit, type StartChildOptions, startChild } from './child.ts';
export { type Found, findTool, hidePassword, parseVersion } from './find-tool.ts';
export { freePort, freePorts, isPortFree } from './free-port.ts';
export { ensureTools } from './install-tools.ts';
export { type NatsServer, type StartNatsOptions, startNats } from './nats.ts';
export { type PostgresServer, type StartPostgresOptions, startPostgres } from './postgres.ts';
export {
  endProcess,
  identifyProcess,
  isSameProcess,
  type ProcessIdentity,
  signalProcess,
} from './process-identity.ts';
export { type RedisServer, type StartRedisOptions, startRedis } from './redis.ts';
export { runProgram } from './run-program.ts';
export { chooseServersFolder, outerServersFolder } from './servers-folder.ts';
export { type Tool, type ToolName, tools } from './tools.ts';
