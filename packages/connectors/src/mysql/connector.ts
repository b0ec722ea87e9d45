import type { ConnectorDefinition } from '../connector.ts';
import { type MysqlConfig, mysqlConfigSchema } from './config.ts';
import { discoverMysql } from './discover.ts';
import { rotateMysql } from './rotate.ts';
import { testMysql } from './test.ts';
import { verifyMysql } from './verify.ts';

export const mysqlConnector: ConnectorDefinition<MysqlConfig> = {
  type: 'mysql',
  configSchema: mysqlConfigSchema,
  test: testMysql,
  verify: verifyMysql,
  rotate: rotateMysql,
  discover: discoverMysql,
};
