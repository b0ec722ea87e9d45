import { methods } from '../methods.ts';
import { type Design, designs } from './designs.ts';
import type { JsonSchema } from './json-schema.ts';
import { messageSchemas } from './message-schemas.ts';
import { documentedPath, type Operation, operation } from './operation.ts';
import { problemResponse, problemSchema } from './problem-schema.ts';

export type Paths = Record<string, Record<string, Operation>>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, unknown>>;
  readonly 'x-designs': readonly Design[];
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Paths;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

/**
 * OpenAPI 3.1 of every operation with a REST binding, from the declarations that the gateway serves.
 * `ownPaths` are operations of the gateway itself.
 */
export function openApiDocument(options: {
  readonly version: string;
  readonly serverUrl: string;
  readonly ownPaths?: Paths;
}): OpenApiDocument {
  const schemas = messageSchemas();
  const paths: Paths = { ...options.ownPaths };
  for (const method of methods.values()) {
    for (const [index, binding] of method.http.entries()) {
      const path = documentedPath(method, binding);
      const described = operation(method, binding, schemas);
      // An operation may have several paths, but its id must be unique.
      const id = index === 0 ? {} : { operationId: `${described.operationId}.${index + 1}` };
      paths[path] = { ...paths[path], [binding.method.toLowerCase()]: { ...described, ...id } };
    }
  }
  const tags = new Set(Object.values(paths).flatMap((item) => Object.values(item).flatMap(tagsOf)));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Claviger',
      version: options.version,
      description:
        'Privileged access management: secrets, access requests, approvals, rotation and audit.\n\n' +
        'A request that is valid by its schemas may be refused for these reasons (`x-designs`):\n\n' +
        designs
          .map((each) => `- **${each.name}** (${each.statuses.join(', ')}): ${each.description}`)
          .join('\n'),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    'x-designs': designs,
    servers: [{ url: options.serverUrl }],
    tags: [...tags].sort().map((name) => ({ name })),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { Problem: problemSchema, ...schemas.schemas },
      responses: { Problem: problemResponse },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The access token of a session (valid for five minutes), or an API token (clv_…).',
        },
        agent: {
          type: 'http',
          scheme: 'bearer',
          description: 'The agent token of a device (cla_…), which is only valid for agent operations.',
        },
      },
    },
  };
}

function tagsOf(described: Operation): string[] {
  return (described.tags ?? []) as string[];
}
