export { answersHead } from './answers-head.ts';
export {
  bodyLimitOf,
  contractProblem,
  MAX_BODY_BYTES,
  MAX_PUBLIC_BODY_BYTES,
  namesEntry,
  statusFieldOf,
  updateMaskOf,
} from './contract-problem.ts';
export * as audit from './generated/claviger/audit/v1/audit.ts';
export * as breakglassAudit from './generated/claviger/audit/v1/breakglass_audit.ts';
export * as compliance from './generated/claviger/audit/v1/compliance.ts';
export * as siem from './generated/claviger/audit/v1/siem.ts';
export * as tenantLog from './generated/claviger/audit/v1/tenant_log.ts';
export * as anomalies from './generated/claviger/auth/v1/anomalies.ts';
export * as auth from './generated/claviger/auth/v1/auth.ts';
export * as clusterAdmin from './generated/claviger/auth/v1/cluster_admin.ts';
export * as devices from './generated/claviger/auth/v1/devices.ts';
export * as emergencyStanding from './generated/claviger/auth/v1/emergency_standing.ts';
export * as authEvidence from './generated/claviger/auth/v1/evidence.ts';
export * as licence from './generated/claviger/auth/v1/licence.ts';
export * as settings from './generated/claviger/auth/v1/settings.ts';
export * as tenants from './generated/claviger/auth/v1/tenants.ts';
export * as updates from './generated/claviger/auth/v1/updates.ts';
export * as calls from './generated/claviger/cluster/v1/calls.ts';
export * as cluster from './generated/claviger/cluster/v1/health.ts';
export * as replicas from './generated/claviger/cluster/v1/replicas.ts';
export * as restore from './generated/claviger/cluster/v1/restore.ts';
export * as schema from './generated/claviger/cluster/v1/schema.ts';
export * as seal from './generated/claviger/cluster/v1/seal.ts';
export * as tenantStanding from './generated/claviger/cluster/v1/tenant_standing.ts';
export { ErrorDetail, FieldProblem } from './generated/claviger/errors/v1/errors.ts';
export { AccessLevel, type Field, type Policy, RateTier } from './generated/claviger/options/v1/options.ts';
export * as emergency from './generated/claviger/vault/v1/emergency.ts';
export * as encryption from './generated/claviger/vault/v1/encryption.ts';
export * as vaultEvidence from './generated/claviger/vault/v1/evidence.ts';
export * as exposure from './generated/claviger/vault/v1/exposure.ts';
export * as tenantKeys from './generated/claviger/vault/v1/tenant_keys.ts';
export * as vault from './generated/claviger/vault/v1/vault.ts';
export * as accountStanding from './generated/claviger/workflow/v1/account_standing.ts';
export * as assistant from './generated/claviger/workflow/v1/assistant.ts';
export * as breakglass from './generated/claviger/workflow/v1/breakglass.ts';
export * as elevation from './generated/claviger/workflow/v1/elevation.ts';
export * as emergencyNotice from './generated/claviger/workflow/v1/emergency_notice.ts';
export * as workflowEvidence from './generated/claviger/workflow/v1/evidence.ts';
export * as explanations from './generated/claviger/workflow/v1/explanations.ts';
export * as rules from './generated/claviger/workflow/v1/rules.ts';
export * as workflow from './generated/claviger/workflow/v1/workflow.ts';
export { HttpBody } from './generated/google/api/httpbody.ts';
export { Status } from './generated/google/rpc/status.ts';
export { takesIdempotencyKey } from './idempotency-key.ts';
export type { FieldInfo, FieldKind, HttpBinding, MessageInfo, MethodInfo } from './method-info.ts';
export { methodOf, methods, methodsOfService } from './methods.ts';
export type { JsonSchema } from './openapi/json-schema.ts';
export { type OpenApiDocument, openApiDocument, type Paths } from './openapi/openapi-document.ts';
export { redact } from './redact.ts';
export { validateMessage } from './validate-message.ts';
