import { type MethodInfo, methods } from '@claviger/contracts';

/** Operations of the REST API for people and machine identities, by name. */
export const operations: ReadonlyMap<string, MethodInfo> = new Map(
  [...methods.values()]
    .filter(({ http, policy }) => http.length > 0 && !policy?.agent)
    .map((info) => [info.name, info]),
);

/** An operation by name, e.g. `ListEntries`; throws if the contract has none. */
export function operation(name: string): MethodInfo {
  const info = operations.get(name);
  if (info === undefined) throw new Error(`The contract has no operation ${name} of the REST API.`);
  return info;
}
