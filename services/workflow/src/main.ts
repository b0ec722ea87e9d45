import { runService } from '@claviger/service-kit';
import { configSchema } from './config.ts';
import { migrateWorkflow } from './migrate.ts';
import { createWorkflowService } from './service.ts';

await runService({
  name: 'workflow',
  schema: configSchema,
  create: createWorkflowService,
  migrate: migrateWorkflow,
});
