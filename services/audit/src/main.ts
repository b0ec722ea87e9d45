import { runService } from '@claviger/service-kit';
import { configSchema } from './config.ts';
import { createAuditService, migrateAudit } from './service.ts';

await runService({ name: 'audit', schema: configSchema, create: createAuditService, migrate: migrateAudit });
