export {
  type AppliedStanding,
  type TenantMeasures,
  type TenantStandingOptions,
  tenantStandingHandlers,
} from './handlers.ts';
