import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ProtoFile } from './descriptor-set.ts';

/** The file that registers the handlers of one service. */
export interface Registry {
  /** Relative to the root of the repository, e.g. `services/vault/src/registry.ts`. */
  readonly path: string;
  readonly text: string;
  /** RPCs without a unique handler, and what to do. The text does not compile while there are any. */
  readonly problems: readonly string[];
}

/**
 * Generates the registry of every service that has a folder. The handler of an RPC is the function of its
 * name in the single file of its name, in any folder below `services/<service>/src`: `AddRequestNote` is
 * `addRequestNote` in `add-request-note.ts`.
 *
 * @param root Folder of the repository.
 */
export function registries(files: readonly ProtoFile[], root: string): Registry[] {
  const services = Map.groupBy(
    files.filter(({ descriptor }) => descriptor.service.length > 0),
    ({ descriptor }) => descriptor.package.split('.')[1]!,
  );
  return [...services]
    .filter(([service]) => existsSync(join(root, `services/${service}/src`)))
    .map(([service, own]) => registryOf(service, own, root));
}

function registryOf(service: string, files: readonly ProtoFile[], root: string): Registry {
  const folder = `services/${service}/src`;
  const found = Map.groupBy(globSync('**/*.ts', { cwd: join(root, folder) }).sort(), (path) =>
    basename(path),
  );
  const problems: string[] = [];
  const contracts: string[] = [];
  const functions = new Map<string, string>();
  const groups: string[] = [];
  const registrations: string[] = [];
  for (const { descriptor, code } of files) {
    const namespace = camelCase(basename(code, '.ts'));
    const module = `@claviger/contracts/${code.replace(/^claviger\//, '').replace(/\.ts$/, '')}`;
    contracts.push(`import * as ${namespace} from '${module}';`);
    for (const { name, method: methods } of descriptor.service) {
      const handlers = methods.map((method) => lowerFirst(method.name));
      for (const handler of handlers) {
        const rpc = `${name}.${upperFirst(handler)}`;
        const paths = found.get(`${kebabCase(handler)}.ts`) ?? [];
        if (functions.has(handler))
          problems.push(
            `${rpc}: another RPC of ${service} has this name. Give one of them a name of its own.`,
          );
        else if (paths.length === 1) functions.set(handler, `import { ${handler} } from './${paths[0]}';`);
        else if (paths.length === 0)
          problems.push(
            `${rpc}: no ${kebabCase(handler)}.ts in ${folder}. Write it with its function ${handler}, then run \`pnpm generate\`.`,
          );
        else problems.push(`${rpc}: several files have its name. Rename all but one: ${paths.join(', ')}`);
      }
      groups.push(groupOf(descriptor.package, namespace, name, handlers));
      registrations.push(`  rpc.add(${namespace}.${name}, ${lowerFirst(name)}(deps));`);
    }
  }
  const names = files.flatMap(({ descriptor }) => descriptor.service.map(({ name }) => lowerFirst(name)));
  const kit = `import type { DepsOf, Handlers, RpcServer } from '@claviger/service-kit';`;
  const text = `// Generated from proto/claviger/${service}/v1 by \`pnpm generate\`. Do not edit.
${contracts.join('\n')}
${[kit, ...functions.values()].join('\n')}

${groups.join('\n\n')}

/** What all handlers of this service need together. */
export type HandlerDeps = DepsOf<
${names.map((name) => `  | typeof ${name}`).join('\n')}
>;

/** Registers the handlers of all gRPC services that this service owns. */
export function registerHandlers(rpc: Pick<RpcServer, 'add'>, deps: HandlerDeps): void {
${registrations.join('\n')}
}
`;
  return { path: `${folder}/registry.ts`, text, problems };
}

/** The function that creates all handlers of one gRPC service. */
function groupOf(scope: string, namespace: string, name: string, handlers: readonly string[]): string {
  return `/** The handlers of ${scope}.${name}. */
export const ${lowerFirst(name)} = (
  deps: DepsOf<
${handlers.map((each) => `    | typeof ${each}`).join('\n')}
  >,
): Handlers<typeof ${namespace}.${name}> => ({
${handlers.map((each) => `  ${each}: ${each}(deps),`).join('\n')}
});`;
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
const upperFirst = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const kebabCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
