import type { ConnectorDefinition } from '../connector.ts';
import { type PostgresConfig, postgresConfigSchema } from './config.ts';
import { discoverPostgres } from './discover.ts';
import { rotatePostgres } from './rotate.ts';
import { testPostgres } from './test.ts';
import { verifyPostgres } from './verify.ts';

export const postgresConnector: ConnectorDefinition<PostgresConfig> = {
  type: 'postgres',
  configSchema: postgresConfigSchema,
  test: testPostgres,
  verify: verifyPostgres,
  rotate: rotatePostgres,
  discover: discoverPostgres,
};
