import type { ZodType } from 'zod';
import type { ConnectorType } from './connector.ts';
import { ConnectorError } from './connector-error.ts';
import { httpConfigSchema } from './http/config.ts';
import { ldapConfigSchema } from './ldap/config.ts';
import { mysqlConfigSchema } from './mysql/config.ts';
import { postgresConfigSchema } from './postgres/config.ts';
import { sshConfigSchema } from './ssh/config.ts';

const schemas = {
  http: httpConfigSchema,
  ldap: ldapConfigSchema,
  mysql: mysqlConfigSchema,
  postgres: postgresConfigSchema,
  ssh: sshConfigSchema,
} as const satisfies Record<ConnectorType, ZodType>;

/** All connector types. */
export const connectorTypes = Object.keys(schemas) as readonly ConnectorType[];

/**
 * Returns the schema of the settings that an administrator stores about a target of this type. Throws
 * ConnectorError (`configuration`) that lists the known types.
 */
export function configSchemaOf(type: string): ZodType {
  return schemas[knownType(type)];
}

/** Throws ConnectorError (`configuration`) that lists the known types. */
export function knownType(type: string): ConnectorType {
  const known = connectorTypes.find((name) => name === type);
  if (known !== undefined) return known;
  throw new ConnectorError('configuration', `There is no connector '${type.slice(0, 40)}'.`, {
    hint: `Use one of: ${connectorTypes.join(', ')}.`,
  });
}
