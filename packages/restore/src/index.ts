export { openRestoreGuard, type RestoreGuard, type RestoreGuardOptions } from './restore-guard.ts';
export { type EndTenantAccess, type RestoreHandlersOptions, restoreHandlers } from './restore-handlers.ts';
export { type RestoreSchema, restoreMigration } from './schema.ts';
