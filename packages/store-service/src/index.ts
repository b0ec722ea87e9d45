export { migrateStore, storeMigrations } from './migrate-store.ts';
export {
  openStoreService,
  type RestoreDetection,
  type ServingOptions,
  type ServingStore,
  type StoreService,
  type StoreServiceOptions,
} from './open-store-service.ts';
export { type StoreConfig, storeConfigSchema } from './store-config.ts';
