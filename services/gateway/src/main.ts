import { runService } from '@claviger/service-kit';
import { configSchema } from './config.ts';
import { createGatewayService } from './service.ts';

await runService({ name: 'gateway', schema: configSchema, create: createGatewayService });
