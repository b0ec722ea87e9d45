import type { ConnectorDefinition } from '../connector.ts';
import { type LdapConfig, ldapConfigSchema } from './config.ts';
import { discoverLdap } from './discover.ts';
import { rotateLdap } from './rotate.ts';
import { testLdap } from './test.ts';
import { verifyLdap } from './verify.ts';

export const ldapConnector: ConnectorDefinition<LdapConfig> = {
  type: 'ldap',
  configSchema: ldapConfigSchema,
  test: testLdap,
  verify: verifyLdap,
  rotate: rotateLdap,
  discover: discoverLdap,
};
