import { runService } from '@claviger/service-kit';
import { configSchema } from './config.ts';
import { migrateVault } from './migrate-vault.ts';
import { createVaultService } from './service.ts';

await runService({ name: 'vault', schema: configSchema, create: createVaultService, migrate: migrateVault });
