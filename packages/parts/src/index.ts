export { type Account, canTraverse, partsAccount } from './account.ts';
export { type Child, type ChildExit, type StartChildOptions, startChild } from './child.ts';
export { type Found, findTool, hidePassword, parseVersion } from './find-tool.ts';
export { freePort, freePorts, isPortFree } from './free-port.ts';
export { ensureTools } from './install-tools.ts';
export { type NatsPart, type StartNatsOptions, startNats } from './nats.ts';
export type { Part, PartName } from './part.ts';
export { choosePartsFolder, outerPartsFolder } from './parts-folder.ts';
export { type PostgresPart, type StartPostgresOptions, startPostgres } from './postgres.ts';
export {
  endProcess,
  identifyProcess,
  isSameProcess,
  type ProcessIdentity,
  signalProcess,
} from './process-identity.ts';
export { type RedisPart, type StartRedisOptions, startRedis } from './redis.ts';
export { runProgram } from './run-program.ts';
export { type Tool, type ToolName, tools } from './tools.ts';
