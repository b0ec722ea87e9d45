import { dirname, relative } from 'node:path';
import type { MethodDescriptorProto, ServiceDescriptorProto } from '@bufbuild/protobuf/wkt';
import type { ProtoFile } from './descriptor-set.ts';

/** The definitions of all gRPC services of a proto file; empty when it has none. */
export function serviceDefinitions(file: ProtoFile, fileOfMessage: ReadonlyMap<string, ProtoFile>): string {
  const { service: services, package: scope } = file.descriptor;
  if (services.length === 0) return '';
  const kinds = new Set<string>();
  const imports = new Set<string>();
  const codec = (typeName: string): string => {
    const owner = fileOfMessage.get(typeName)!;
    const name = typeName.slice(owner.descriptor.package.length + 2).replaceAll('.', '_');
    if (owner !== file) imports.add(`import { ${name} } from "${pathTo(file, owner.code)}";`);
    return name;
  };
  const rpc = (service: ServiceDescriptorProto, method: MethodDescriptorProto): string => {
    const kind = kindOf(method);
    kinds.add(kind);
    const args = [JSON.stringify(`/${scope}.${service.name}/${method.name}`)];
    return `  ${lowerFirst(method.name)}: ${kind}(${[...args, codec(method.inputType), codec(method.outputType)].join(', ')}),`;
  };
  const definitions = services.map((service) =>
    [`export const ${service.name} = {`, ...service.method.map((method) => rpc(service, method)), '};'].join(
      '\n',
    ),
  );
  const kit = `import { ${[...kinds].sort().join(', ')} } from "${pathTo(file, '../rpc.ts')}";`;
  return `\n${[kit, ...imports].join('\n')}\n\n${definitions.join('\n\n')}\n`;
}

/** A module with every service definition by its full name. */
export function serviceList(files: readonly ProtoFile[]): string {
  const withServices = files.filter(({ descriptor }) => descriptor.service.length > 0);
  const imports = withServices.map(({ code }, index) => `import * as file${index} from "./${code}";`);
  const entries = withServices.flatMap(({ descriptor }, index) =>
    descriptor.service.map(({ name }) => `  ["${descriptor.package}.${name}", file${index}.${name}],`),
  );
  return `// Generated from proto/. Do not edit.
import type { ServiceDefinition } from "../rpc.ts";
${imports.join('\n')}

/** Every gRPC service of the contract, by its full name, e.g. \`claviger.vault.v1.EntriesService\`. */
export const services: ReadonlyMap<string, ServiceDefinition> = new Map<string, ServiceDefinition>([
${entries.join('\n')}
]);
`;
}

function kindOf({ clientStreaming, serverStreaming }: MethodDescriptorProto): string {
  if (clientStreaming) return 'duplexStream';
  return serverStreaming ? 'serverStream' : 'unary';
}

function pathTo(from: ProtoFile, code: string): string {
  const path = relative(dirname(from.code), code);
  return path.startsWith('.') ? path : `./${path}`;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
