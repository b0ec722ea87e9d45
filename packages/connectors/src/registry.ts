import { configSchemaOf, knownType } from './config-schemas.ts';
import type { Connector, ConnectorDefinition, ConnectorType } from './connector.ts';
import { ConnectorError } from './connector-error.ts';

/** Loads a connector on first use: a worker needs only one of the drivers. */
const definitions = {
  http: async () => erased((await import('./http/connector.ts')).httpConnector),
  ldap: async () => erased((await import('./ldap/connector.ts')).ldapConnector),
  mysql: async () => erased((await import('./mysql/connector.ts')).mysqlConnector),
  postgres: async () => erased((await import('./postgres/connector.ts')).postgresConnector),
  ssh: async () => erased((await import('./ssh/connector.ts')).sshConnector),
} as const satisfies Record<ConnectorType, () => Promise<ConnectorDefinition<unknown>>>;

/**
 * Returns the connector of a type, which runs in this process. Only workers and tests use it; all others use
 * a ConnectorPool. Throws ConnectorError (`configuration`) that lists the known types.
 */
export function connectorFor(given: string): Connector {
  const type = knownType(given);
  const load = definitions[type];
  return {
    type,
    configSchema: configSchemaOf(type),
    test: async (target, credential, ctx) => (await load()).test(target, credential, ctx),
    verify: async (target, account, secret, ctx) => (await load()).verify(target, account, secret, ctx),
    rotate: async (target, account, secrets, ctx) => (await load()).rotate(target, account, secrets, ctx),
    discover: async (target, admin, ctx) => (await load()).discover(target, admin, ctx),
  };
}

/** Wraps a connector so that it validates the settings of the target. */
function erased<Config>(definition: ConnectorDefinition<Config>): ConnectorDefinition<unknown> {
  const parsed = (target: unknown): Config => {
    const result = definition.configSchema.safeParse(target);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new ConnectorError(
      'configuration',
      `The settings of this ${definition.type} target are not valid: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  };
  return {
    type: definition.type,
    configSchema: definition.configSchema,
    test: async (target, credential, ctx) => definition.test(parsed(target), credential, ctx),
    verify: async (target, account, secret, ctx) => definition.verify(parsed(target), account, secret, ctx),
    rotate: async (target, account, secrets, ctx) => definition.rotate(parsed(target), account, secrets, ctx),
    discover: async (target, admin, ctx) => definition.discover(parsed(target), admin, ctx),
  };
}
