import { runService } from '@claviger/service-kit';
import { configSchema } from './config.ts';
import { createAuthService, migrateAuth } from './service.ts';

await runService({ name: 'auth', schema: configSchema, create: createAuthService, migrate: migrateAuth });
