export {
  type AppliedTenantStatus,
  type TenantMeasures,
  type TenantStatusOptions,
  tenantStatusHandlers,
} from './handlers.ts';
