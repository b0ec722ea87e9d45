import type { ConnectorDefinition } from '../connector.ts';
import { type SshConfig, sshConfigSchema } from './config.ts';
import { discoverSsh } from './discover.ts';
import { rotateSsh } from './rotate.ts';
import { testSsh } from './test.ts';
import { verifySsh } from './verify.ts';

export const sshConnector: ConnectorDefinition<SshConfig> = {
  type: 'ssh',
  configSchema: sshConfigSchema,
  test: testSsh,
  verify: verifySsh,
  rotate: rotateSsh,
  discover: discoverSsh,
};
