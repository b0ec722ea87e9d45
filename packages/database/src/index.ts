export { anyOf, type ListType, noneOf } from './any-of.ts';
export { asTenant } from './as-tenant.ts';
export {
  createDatabase,
  type Database,
  type DatabaseOptions,
  type Reader,
  type Tx,
} from './database.ts';
export { keysetCursor, parseKeysetCursor } from './keyset-cursor.ts';
export { type Listener, listen } from './listen.ts';
export { type MigrateOptions, type Migration, migrate, migrationsIn } from './migrate.ts';
export { isForeignKeyViolation, isOutage, isUniqueViolation, sqlState } from './outage.ts';
export {
  countRows,
  likeTerm,
  type PageOptions,
  type PageRequest,
  type PageResponse,
  pageOf,
  type SortFields,
} from './page.ts';
export { type SchemaHistory, schemaHistory } from './schema-history.ts';
export { serialized } from './serialized.ts';
export {
  applyTenantStatus,
  isActiveTenant,
  lockedTenantStatus,
  ofActiveTenant,
  requireActiveTenant,
  type TenantStatus,
  type TenantStatusChange,
  type TenantStatusSchema,
  tenantNotActive,
  tenantStatusMigration,
} from './tenant-status.ts';
