import type { ConnectorDefinition } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { type HttpConfig, httpConfigSchema } from './config.ts';
import { rotateHttp } from './rotate.ts';
import { testHttp } from './test.ts';
import { verifyHttp } from './verify.ts';

export const httpConnector: ConnectorDefinition<HttpConfig> = {
  type: 'http',
  configSchema: httpConfigSchema,
  test: testHttp,
  verify: verifyHttp,
  rotate: rotateHttp,
  async discover() {
    throw new ConnectorError('configuration', 'Targets of the type http cannot list their accounts.', {
      hint: 'Create the entries by hand.',
    });
  },
};
