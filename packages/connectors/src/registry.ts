import type { Connector, ConnectorDefinition, ConnectorType } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import { httpConnector } from './http/connector.ts';
import { ldapConnector } from './ldap/connector.ts';
import { mysqlConnector } from './mysql/connector.ts';
import { postgresConnector } from './postgres/connector.ts';
import { sshConnector } from './ssh/connector.ts';

const connectors: Readonly<Record<ConnectorType, Connector>> = {
  http: bound(httpConnector),
  ldap: bound(ldapConnector),
  mysql: bound(mysqlConnector),
  postgres: bound(postgresConnector),
  ssh: bound(sshConnector),
};

/** The names that `connectorFor` knows. */
export const connectorTypes = Object.keys(connectors) as readonly ConnectorType[];

/** Gives the connector of a type; throws ConnectorError (`configuration`) naming the known ones. */
export function connectorFor(type: string): Connector {
  const known = connectorTypes.find((name) => name === type);
  if (known === undefined)
    throw new ConnectorError('configuration', `There is no connector '${type.slice(0, 40)}'.`, {
      hint: `Use one of: ${connectorTypes.join(', ')}.`,
    });
  return connectors[known];
}

function bound<Config>(definition: ConnectorDefinition<Config>): Connector {
  const parsed = (target: unknown): Config => {
    const result = definition.configSchema.safeParse(target);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    throw new ConnectorError(
      'configuration',
      `The settings of this ${definition.type} target are not usable: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
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
