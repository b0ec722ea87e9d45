// Generated from proto/. Do not edit.
import type { ServiceDefinition } from "../rpc.ts";
import * as file0 from "./claviger/audit/v1/audit.ts";
import * as file1 from "./claviger/audit/v1/breakglass_audit.ts";
import * as file2 from "./claviger/audit/v1/compliance.ts";
import * as file3 from "./claviger/audit/v1/siem.ts";
import * as file4 from "./claviger/audit/v1/tenant_log.ts";
import * as file5 from "./claviger/auth/v1/anomalies.ts";
import * as file6 from "./claviger/auth/v1/auth.ts";
import * as file7 from "./claviger/cluster/v1/replicas.ts";
import * as file8 from "./claviger/auth/v1/cluster_admin.ts";
import * as file9 from "./claviger/auth/v1/devices.ts";
import * as file10 from "./claviger/auth/v1/emergency_restriction.ts";
import * as file11 from "./claviger/auth/v1/evidence.ts";
import * as file12 from "./claviger/auth/v1/license.ts";
import * as file13 from "./claviger/auth/v1/settings.ts";
import * as file14 from "./claviger/auth/v1/tenants.ts";
import * as file15 from "./claviger/auth/v1/updates.ts";
import * as file16 from "./claviger/cluster/v1/calls.ts";
import * as file17 from "./claviger/cluster/v1/health.ts";
import * as file18 from "./claviger/cluster/v1/restore.ts";
import * as file19 from "./claviger/cluster/v1/schema.ts";
import * as file20 from "./claviger/cluster/v1/seal.ts";
import * as file21 from "./claviger/cluster/v1/tenant_status.ts";
import * as file22 from "./claviger/vault/v1/emergency.ts";
import * as file23 from "./claviger/vault/v1/encryption.ts";
import * as file24 from "./claviger/vault/v1/evidence.ts";
import * as file25 from "./claviger/vault/v1/exposure.ts";
import * as file26 from "./claviger/vault/v1/tenant_keys.ts";
import * as file27 from "./claviger/vault/v1/vault.ts";
import * as file28 from "./claviger/workflow/v1/account_status.ts";
import * as file29 from "./claviger/workflow/v1/assistant.ts";
import * as file30 from "./claviger/workflow/v1/breakglass.ts";
import * as file31 from "./claviger/workflow/v1/elevation.ts";
import * as file32 from "./claviger/workflow/v1/emergency_notice.ts";
import * as file33 from "./claviger/workflow/v1/evidence.ts";
import * as file34 from "./claviger/workflow/v1/explanations.ts";
import * as file35 from "./claviger/workflow/v1/rules.ts";
import * as file36 from "./claviger/workflow/v1/workflow.ts";

/** Every gRPC service of the contract, by its full name, e.g. `claviger.vault.v1.EntriesService`. */
export const services: ReadonlyMap<string, ServiceDefinition> = new Map<string, ServiceDefinition>([
  ["claviger.audit.v1.AuditService", file0.AuditService],
  ["claviger.audit.v1.BreakglassAuditService", file1.BreakglassAuditService],
  ["claviger.audit.v1.ComplianceService", file2.ComplianceService],
  ["claviger.audit.v1.SiemService", file3.SiemService],
  ["claviger.audit.v1.TenantLogService", file4.TenantLogService],
  ["claviger.auth.v1.AnomaliesService", file5.AnomaliesService],
  ["claviger.auth.v1.AuthService", file6.AuthService],
  ["claviger.auth.v1.UsersService", file6.UsersService],
  ["claviger.auth.v1.RolesService", file6.RolesService],
  ["claviger.auth.v1.ApiTokensService", file6.ApiTokensService],
  ["claviger.auth.v1.SessionsService", file6.SessionsService],
  ["claviger.auth.v1.DirectoryService", file6.DirectoryService],
  ["claviger.auth.v1.OperatorService", file6.OperatorService],
  ["claviger.cluster.v1.ReplicasService", file7.ReplicasService],
  ["claviger.auth.v1.ClusterAdminService", file8.ClusterAdminService],
  ["claviger.auth.v1.SitesService", file9.SitesService],
  ["claviger.auth.v1.DevicesService", file9.DevicesService],
  ["claviger.auth.v1.DeviceGroupsService", file9.DeviceGroupsService],
  ["claviger.auth.v1.ConfigurationPoliciesService", file9.ConfigurationPoliciesService],
  ["claviger.auth.v1.DirectoryIdentitiesService", file9.DirectoryIdentitiesService],
  ["claviger.auth.v1.AgentsService", file9.AgentsService],
  ["claviger.auth.v1.DeviceDirectoryService", file9.DeviceDirectoryService],
  ["claviger.auth.v1.EmergencyRestrictionService", file10.EmergencyRestrictionService],
  ["claviger.auth.v1.EvidenceService", file11.EvidenceService],
  ["claviger.auth.v1.LicenseService", file12.LicenseService],
  ["claviger.auth.v1.ConfigService", file13.ConfigService],
  ["claviger.auth.v1.SettingsService", file13.SettingsService],
  ["claviger.auth.v1.TenantsService", file14.TenantsService],
  ["claviger.auth.v1.UpdatesService", file15.UpdatesService],
  ["claviger.auth.v1.ReplicasService", file15.ReplicasService],
  ["claviger.cluster.v1.CallsService", file16.CallsService],
  ["claviger.cluster.v1.HealthService", file17.HealthService],
  ["claviger.cluster.v1.RestoreService", file18.RestoreService],
  ["claviger.cluster.v1.SchemaService", file19.SchemaService],
  ["claviger.cluster.v1.SealService", file20.SealService],
  ["claviger.cluster.v1.TenantStatusService", file21.TenantStatusService],
  ["claviger.vault.v1.EmergencyService", file22.EmergencyService],
  ["claviger.vault.v1.EncryptionService", file23.EncryptionService],
  ["claviger.vault.v1.EvidenceService", file24.EvidenceService],
  ["claviger.vault.v1.ExposureService", file25.ExposureService],
  ["claviger.vault.v1.TenantKeysService", file26.TenantKeysService],
  ["claviger.vault.v1.ResourcesService", file27.ResourcesService],
  ["claviger.vault.v1.EntriesService", file27.EntriesService],
  ["claviger.vault.v1.ModulesService", file27.ModulesService],
  ["claviger.vault.v1.EntitlementsService", file27.EntitlementsService],
  ["claviger.workflow.v1.AccountStatusService", file28.AccountStatusService],
  ["claviger.workflow.v1.AssistantService", file29.AssistantService],
  ["claviger.workflow.v1.BreakglassService", file30.BreakglassService],
  ["claviger.workflow.v1.ElevationRequestsService", file31.ElevationRequestsService],
  ["claviger.workflow.v1.ToolActionsService", file31.ToolActionsService],
  ["claviger.workflow.v1.DeviceActuationService", file31.DeviceActuationService],
  ["claviger.workflow.v1.AgentElevationsService", file31.AgentElevationsService],
  ["claviger.workflow.v1.EmergencyNoticeService", file32.EmergencyNoticeService],
  ["claviger.workflow.v1.EvidenceService", file33.EvidenceService],
  ["claviger.workflow.v1.ExplanationsService", file34.ExplanationsService],
  ["claviger.workflow.v1.PamRulesService", file35.PamRulesService],
  ["claviger.workflow.v1.SoftwarePolicyService", file35.SoftwarePolicyService],
  ["claviger.workflow.v1.RequestsService", file36.RequestsService],
  ["claviger.workflow.v1.ProtectionService", file36.ProtectionService],
  ["claviger.workflow.v1.GrantsService", file36.GrantsService],
  ["claviger.workflow.v1.AccessPoliciesService", file36.AccessPoliciesService],
]);
