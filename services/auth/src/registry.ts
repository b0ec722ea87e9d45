// Generated from proto/claviger/auth/v1 by `pnpm generate`. Do not edit.
import * as anomalies from '@claviger/contracts/auth/v1/anomalies';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as emergencyRestriction from '@claviger/contracts/auth/v1/emergency_restriction';
import * as evidence from '@claviger/contracts/auth/v1/evidence';
import * as license from '@claviger/contracts/auth/v1/license';
import * as settings from '@claviger/contracts/auth/v1/settings';
import * as tenants from '@claviger/contracts/auth/v1/tenants';
import * as updates from '@claviger/contracts/auth/v1/updates';
import type { DepsOf, Handlers, RpcServer } from '@claviger/service-kit';
import { reportAnomalies } from './anomalies/report-anomalies.ts';
import { getPlatformTenant } from './anomalies/get-platform-tenant.ts';
import { login } from './sign-in/login.ts';
import { completeMfaChallenge } from './mfa/complete-mfa-challenge.ts';
import { refresh } from './sign-in/refresh.ts';
import { logout } from './sign-in/logout.ts';
import { setupMfa } from './mfa/setup-mfa.ts';
import { setupMfaWithPassword } from './mfa/setup-mfa-with-password.ts';
import { verifyMfa } from './mfa/verify-mfa.ts';
import { disableMfa } from './mfa/disable-mfa.ts';
import { regenerateRecoveryCodes } from './mfa/regenerate-recovery-codes.ts';
import { getCurrentUser } from './users/get-current-user.ts';
import { changeMyPassword } from './passwords/change-my-password.ts';
import { completePasswordReset } from './passwords/complete-password-reset.ts';
import { completeSetup } from './operator/complete-setup.ts';
import { listUsers } from './users/list-users.ts';
import { getUser } from './users/get-user.ts';
import { createUser } from './users/create-user.ts';
import { updateUser } from './users/update-user.ts';
import { deleteUser } from './users/delete-user.ts';
import { setResponsiblePerson } from './users/set-responsible-person.ts';
import { listUserRoles } from './users/list-user-roles.ts';
import { updateUserRoles } from './users/update-user-roles.ts';
import { startPasswordReset } from './passwords/start-password-reset.ts';
import { setUserPassword } from './passwords/set-user-password.ts';
import { revokeUserSessions } from './users/revoke-user-sessions.ts';
import { disableUserMfa } from './mfa/disable-user-mfa.ts';
import { unlockUser } from './users/unlock-user.ts';
import { listRoles } from './roles/list-roles.ts';
import { getRole } from './roles/get-role.ts';
import { createRole } from './roles/create-role.ts';
import { updateRole } from './roles/update-role.ts';
import { deleteRole } from './roles/delete-role.ts';
import { listPermissions } from './roles/list-permissions.ts';
import { listApiTokens } from './api-tokens/list-api-tokens.ts';
import { createApiToken } from './api-tokens/create-api-token.ts';
import { revokeApiToken } from './api-tokens/revoke-api-token.ts';
import { introspect } from './sign-in/introspect.ts';
import { getUserNames } from './directory/get-user-names.ts';
import { getUserPermissions } from './directory/get-user-permissions.ts';
import { bootstrapAdministrator } from './operator/bootstrap-administrator.ts';
import { unlockAdministrator } from './operator/unlock-administrator.ts';
import { createSetupLink } from './operator/create-setup-link.ts';
import { provisionTenant } from './operator/provision-tenant.ts';
import { listTenantIds } from './operator/list-tenant-ids.ts';
import { getClusterStatus } from './cluster/get-cluster-status.ts';
import { promoteNode } from './cluster/promote-node.ts';
import { demoteNode } from './cluster/demote-node.ts';
import { readmitNode } from './cluster/readmit-node.ts';
import { listSites } from './sites/list-sites.ts';
import { createSite } from './sites/create-site.ts';
import { getSite } from './sites/get-site.ts';
import { updateSite } from './sites/update-site.ts';
import { deleteSite } from './sites/delete-site.ts';
import { getUserSites } from './sites/get-user-sites.ts';
import { setUserSites } from './sites/set-user-sites.ts';
import { listDevices } from './devices/list-devices.ts';
import { getDevice } from './devices/get-device.ts';
import { enrolDevice } from './devices/enrol-device.ts';
import { updateDevice } from './devices/update-device.ts';
import { decommissionDevice } from './devices/decommission-device.ts';
import { rotateAgentToken } from './devices/rotate-agent-token.ts';
import { revokeAgentToken } from './devices/revoke-agent-token.ts';
import { getDeviceConfiguration } from './devices/get-device-configuration.ts';
import { listDeviceGroups } from './device-groups/list-device-groups.ts';
import { createDeviceGroup } from './device-groups/create-device-group.ts';
import { updateDeviceGroup } from './device-groups/update-device-group.ts';
import { setDeviceGroupMembers } from './device-groups/set-device-group-members.ts';
import { deleteDeviceGroup } from './device-groups/delete-device-group.ts';
import { listConfigurationPolicies } from './configuration-policies/list-configuration-policies.ts';
import { putConfigurationPolicy } from './configuration-policies/put-configuration-policy.ts';
import { deleteConfigurationPolicy } from './configuration-policies/delete-configuration-policy.ts';
import { getDirectoryIdentity } from './directory-identities/get-directory-identity.ts';
import { setDirectoryIdentity } from './directory-identities/set-directory-identity.ts';
import { getAgentConfiguration } from './agents/get-agent-configuration.ts';
import { rotateOwnAgentToken } from './agents/rotate-own-agent-token.ts';
import { describeDevice } from './directory/describe-device.ts';
import { resolveSubject } from './directory/resolve-subject.ts';
import { listPermittedUsers } from './directory/list-permitted-users.ts';
import { applyEmergencyRestriction } from './emergency/apply-emergency-restriction.ts';
import { listAccountEvidence } from './evidence/list-account-evidence.ts';
import { getAuthPosture } from './evidence/get-auth-posture.ts';
import { getLicense } from './license/get-license.ts';
import { applyLicense } from './license/apply-license.ts';
import { getConfig } from './settings/get-config.ts';
import { updateConfig } from './settings/update-config.ts';
import { listConfigVersions } from './settings/list-config-versions.ts';
import { getConfigVersion } from './settings/get-config-version.ts';
import { readSettings } from './settings/read-settings.ts';
import { listTenants } from './tenants/list-tenants.ts';
import { getTenant } from './tenants/get-tenant.ts';
import { createTenant } from './tenants/create-tenant.ts';
import { suspendTenant } from './tenants/suspend-tenant.ts';
import { reinstateTenant } from './tenants/reinstate-tenant.ts';
import { deprovisionTenant } from './tenants/deprovision-tenant.ts';
import { getDeletionRecord } from './tenants/get-deletion-record.ts';
import { getTenantHealth } from './tenants/get-tenant-health.ts';
import { listTenantBillingEvents } from './tenants/billing/list-tenant-billing-events.ts';
import { listBillingEvents } from './tenants/billing/list-billing-events.ts';
import { getUpdatesStatus } from './updates/get-updates-status.ts';
import { reportReplica } from './updates/report-replica.ts';

/** The handlers of claviger.auth.v1.AnomaliesService. */
export const anomaliesService = (
  deps: DepsOf<
    | typeof reportAnomalies
    | typeof getPlatformTenant
  >,
): Handlers<typeof anomalies.AnomaliesService> => ({
  reportAnomalies: reportAnomalies(deps),
  getPlatformTenant: getPlatformTenant(deps),
});

/** The handlers of claviger.auth.v1.AuthService. */
export const authService = (
  deps: DepsOf<
    | typeof login
    | typeof completeMfaChallenge
    | typeof refresh
    | typeof logout
    | typeof setupMfa
    | typeof setupMfaWithPassword
    | typeof verifyMfa
    | typeof disableMfa
    | typeof regenerateRecoveryCodes
    | typeof getCurrentUser
    | typeof changeMyPassword
    | typeof completePasswordReset
    | typeof completeSetup
  >,
): Handlers<typeof auth.AuthService> => ({
  login: login(deps),
  completeMfaChallenge: completeMfaChallenge(deps),
  refresh: refresh(deps),
  logout: logout(deps),
  setupMfa: setupMfa(deps),
  setupMfaWithPassword: setupMfaWithPassword(deps),
  verifyMfa: verifyMfa(deps),
  disableMfa: disableMfa(deps),
  regenerateRecoveryCodes: regenerateRecoveryCodes(deps),
  getCurrentUser: getCurrentUser(deps),
  changeMyPassword: changeMyPassword(deps),
  completePasswordReset: completePasswordReset(deps),
  completeSetup: completeSetup(deps),
});

/** The handlers of claviger.auth.v1.UsersService. */
export const usersService = (
  deps: DepsOf<
    | typeof listUsers
    | typeof getUser
    | typeof createUser
    | typeof updateUser
    | typeof deleteUser
    | typeof setResponsiblePerson
    | typeof listUserRoles
    | typeof updateUserRoles
    | typeof startPasswordReset
    | typeof setUserPassword
    | typeof revokeUserSessions
    | typeof disableUserMfa
    | typeof unlockUser
  >,
): Handlers<typeof auth.UsersService> => ({
  listUsers: listUsers(deps),
  getUser: getUser(deps),
  createUser: createUser(deps),
  updateUser: updateUser(deps),
  deleteUser: deleteUser(deps),
  setResponsiblePerson: setResponsiblePerson(deps),
  listUserRoles: listUserRoles(deps),
  updateUserRoles: updateUserRoles(deps),
  startPasswordReset: startPasswordReset(deps),
  setUserPassword: setUserPassword(deps),
  revokeUserSessions: revokeUserSessions(deps),
  disableUserMfa: disableUserMfa(deps),
  unlockUser: unlockUser(deps),
});

/** The handlers of claviger.auth.v1.RolesService. */
export const rolesService = (
  deps: DepsOf<
    | typeof listRoles
    | typeof getRole
    | typeof createRole
    | typeof updateRole
    | typeof deleteRole
    | typeof listPermissions
  >,
): Handlers<typeof auth.RolesService> => ({
  listRoles: listRoles(deps),
  getRole: getRole(deps),
  createRole: createRole(deps),
  updateRole: updateRole(deps),
  deleteRole: deleteRole(deps),
  listPermissions: listPermissions(deps),
});

/** The handlers of claviger.auth.v1.ApiTokensService. */
export const apiTokensService = (
  deps: DepsOf<
    | typeof listApiTokens
    | typeof createApiToken
    | typeof revokeApiToken
  >,
): Handlers<typeof auth.ApiTokensService> => ({
  listApiTokens: listApiTokens(deps),
  createApiToken: createApiToken(deps),
  revokeApiToken: revokeApiToken(deps),
});

/** The handlers of claviger.auth.v1.SessionsService. */
export const sessionsService = (
  deps: DepsOf<
    | typeof introspect
  >,
): Handlers<typeof auth.SessionsService> => ({
  introspect: introspect(deps),
});

/** The handlers of claviger.auth.v1.DirectoryService. */
export const directoryService = (
  deps: DepsOf<
    | typeof getUserNames
    | typeof getUserPermissions
  >,
): Handlers<typeof auth.DirectoryService> => ({
  getUserNames: getUserNames(deps),
  getUserPermissions: getUserPermissions(deps),
});

/** The handlers of claviger.auth.v1.OperatorService. */
export const operatorService = (
  deps: DepsOf<
    | typeof bootstrapAdministrator
    | typeof unlockAdministrator
    | typeof createSetupLink
    | typeof provisionTenant
    | typeof listTenantIds
  >,
): Handlers<typeof auth.OperatorService> => ({
  bootstrapAdministrator: bootstrapAdministrator(deps),
  unlockAdministrator: unlockAdministrator(deps),
  createSetupLink: createSetupLink(deps),
  provisionTenant: provisionTenant(deps),
  listTenantIds: listTenantIds(deps),
});

/** The handlers of claviger.auth.v1.ClusterAdminService. */
export const clusterAdminService = (
  deps: DepsOf<
    | typeof getClusterStatus
    | typeof promoteNode
    | typeof demoteNode
    | typeof readmitNode
  >,
): Handlers<typeof clusterAdmin.ClusterAdminService> => ({
  getClusterStatus: getClusterStatus(deps),
  promoteNode: promoteNode(deps),
  demoteNode: demoteNode(deps),
  readmitNode: readmitNode(deps),
});

/** The handlers of claviger.auth.v1.SitesService. */
export const sitesService = (
  deps: DepsOf<
    | typeof listSites
    | typeof createSite
    | typeof getSite
    | typeof updateSite
    | typeof deleteSite
    | typeof getUserSites
    | typeof setUserSites
  >,
): Handlers<typeof devices.SitesService> => ({
  listSites: listSites(deps),
  createSite: createSite(deps),
  getSite: getSite(deps),
  updateSite: updateSite(deps),
  deleteSite: deleteSite(deps),
  getUserSites: getUserSites(deps),
  setUserSites: setUserSites(deps),
});

/** The handlers of claviger.auth.v1.DevicesService. */
export const devicesService = (
  deps: DepsOf<
    | typeof listDevices
    | typeof getDevice
    | typeof enrolDevice
    | typeof updateDevice
    | typeof decommissionDevice
    | typeof rotateAgentToken
    | typeof revokeAgentToken
    | typeof getDeviceConfiguration
  >,
): Handlers<typeof devices.DevicesService> => ({
  listDevices: listDevices(deps),
  getDevice: getDevice(deps),
  enrolDevice: enrolDevice(deps),
  updateDevice: updateDevice(deps),
  decommissionDevice: decommissionDevice(deps),
  rotateAgentToken: rotateAgentToken(deps),
  revokeAgentToken: revokeAgentToken(deps),
  getDeviceConfiguration: getDeviceConfiguration(deps),
});

/** The handlers of claviger.auth.v1.DeviceGroupsService. */
export const deviceGroupsService = (
  deps: DepsOf<
    | typeof listDeviceGroups
    | typeof createDeviceGroup
    | typeof updateDeviceGroup
    | typeof setDeviceGroupMembers
    | typeof deleteDeviceGroup
  >,
): Handlers<typeof devices.DeviceGroupsService> => ({
  listDeviceGroups: listDeviceGroups(deps),
  createDeviceGroup: createDeviceGroup(deps),
  updateDeviceGroup: updateDeviceGroup(deps),
  setDeviceGroupMembers: setDeviceGroupMembers(deps),
  deleteDeviceGroup: deleteDeviceGroup(deps),
});

/** The handlers of claviger.auth.v1.ConfigurationPoliciesService. */
export const configurationPoliciesService = (
  deps: DepsOf<
    | typeof listConfigurationPolicies
    | typeof putConfigurationPolicy
    | typeof deleteConfigurationPolicy
  >,
): Handlers<typeof devices.ConfigurationPoliciesService> => ({
  listConfigurationPolicies: listConfigurationPolicies(deps),
  putConfigurationPolicy: putConfigurationPolicy(deps),
  deleteConfigurationPolicy: deleteConfigurationPolicy(deps),
});

/** The handlers of claviger.auth.v1.DirectoryIdentitiesService. */
export const directoryIdentitiesService = (
  deps: DepsOf<
    | typeof getDirectoryIdentity
    | typeof setDirectoryIdentity
  >,
): Handlers<typeof devices.DirectoryIdentitiesService> => ({
  getDirectoryIdentity: getDirectoryIdentity(deps),
  setDirectoryIdentity: setDirectoryIdentity(deps),
});

/** The handlers of claviger.auth.v1.AgentsService. */
export const agentsService = (
  deps: DepsOf<
    | typeof getAgentConfiguration
    | typeof rotateOwnAgentToken
  >,
): Handlers<typeof devices.AgentsService> => ({
  getAgentConfiguration: getAgentConfiguration(deps),
  rotateOwnAgentToken: rotateOwnAgentToken(deps),
});

/** The handlers of claviger.auth.v1.DeviceDirectoryService. */
export const deviceDirectoryService = (
  deps: DepsOf<
    | typeof describeDevice
    | typeof resolveSubject
    | typeof listPermittedUsers
  >,
): Handlers<typeof devices.DeviceDirectoryService> => ({
  describeDevice: describeDevice(deps),
  resolveSubject: resolveSubject(deps),
  listPermittedUsers: listPermittedUsers(deps),
});

/** The handlers of claviger.auth.v1.EmergencyRestrictionService. */
export const emergencyRestrictionService = (
  deps: DepsOf<
    | typeof applyEmergencyRestriction
  >,
): Handlers<typeof emergencyRestriction.EmergencyRestrictionService> => ({
  applyEmergencyRestriction: applyEmergencyRestriction(deps),
});

/** The handlers of claviger.auth.v1.EvidenceService. */
export const evidenceService = (
  deps: DepsOf<
    | typeof listAccountEvidence
    | typeof getAuthPosture
  >,
): Handlers<typeof evidence.EvidenceService> => ({
  listAccountEvidence: listAccountEvidence(deps),
  getAuthPosture: getAuthPosture(deps),
});

/** The handlers of claviger.auth.v1.LicenseService. */
export const licenseService = (
  deps: DepsOf<
    | typeof getLicense
    | typeof applyLicense
  >,
): Handlers<typeof license.LicenseService> => ({
  getLicense: getLicense(deps),
  applyLicense: applyLicense(deps),
});

/** The handlers of claviger.auth.v1.ConfigService. */
export const configService = (
  deps: DepsOf<
    | typeof getConfig
    | typeof updateConfig
    | typeof listConfigVersions
    | typeof getConfigVersion
  >,
): Handlers<typeof settings.ConfigService> => ({
  getConfig: getConfig(deps),
  updateConfig: updateConfig(deps),
  listConfigVersions: listConfigVersions(deps),
  getConfigVersion: getConfigVersion(deps),
});

/** The handlers of claviger.auth.v1.SettingsService. */
export const settingsService = (
  deps: DepsOf<
    | typeof readSettings
  >,
): Handlers<typeof settings.SettingsService> => ({
  readSettings: readSettings(deps),
});

/** The handlers of claviger.auth.v1.TenantsService. */
export const tenantsService = (
  deps: DepsOf<
    | typeof listTenants
    | typeof getTenant
    | typeof createTenant
    | typeof suspendTenant
    | typeof reinstateTenant
    | typeof deprovisionTenant
    | typeof getDeletionRecord
    | typeof getTenantHealth
    | typeof listTenantBillingEvents
    | typeof listBillingEvents
  >,
): Handlers<typeof tenants.TenantsService> => ({
  listTenants: listTenants(deps),
  getTenant: getTenant(deps),
  createTenant: createTenant(deps),
  suspendTenant: suspendTenant(deps),
  reinstateTenant: reinstateTenant(deps),
  deprovisionTenant: deprovisionTenant(deps),
  getDeletionRecord: getDeletionRecord(deps),
  getTenantHealth: getTenantHealth(deps),
  listTenantBillingEvents: listTenantBillingEvents(deps),
  listBillingEvents: listBillingEvents(deps),
});

/** The handlers of claviger.auth.v1.UpdatesService. */
export const updatesService = (
  deps: DepsOf<
    | typeof getUpdatesStatus
  >,
): Handlers<typeof updates.UpdatesService> => ({
  getUpdatesStatus: getUpdatesStatus(deps),
});

/** The handlers of claviger.auth.v1.ReplicasService. */
export const replicasService = (
  deps: DepsOf<
    | typeof reportReplica
  >,
): Handlers<typeof updates.ReplicasService> => ({
  reportReplica: reportReplica(deps),
});

/** What all handlers of this service need together. */
export type HandlerDeps = DepsOf<
  | typeof anomaliesService
  | typeof authService
  | typeof usersService
  | typeof rolesService
  | typeof apiTokensService
  | typeof sessionsService
  | typeof directoryService
  | typeof operatorService
  | typeof clusterAdminService
  | typeof sitesService
  | typeof devicesService
  | typeof deviceGroupsService
  | typeof configurationPoliciesService
  | typeof directoryIdentitiesService
  | typeof agentsService
  | typeof deviceDirectoryService
  | typeof emergencyRestrictionService
  | typeof evidenceService
  | typeof licenseService
  | typeof configService
  | typeof settingsService
  | typeof tenantsService
  | typeof updatesService
  | typeof replicasService
>;

/** Registers the handlers of all gRPC services that this service owns. */
export function registerHandlers(rpc: Pick<RpcServer, 'add'>, deps: HandlerDeps): void {
  rpc.add(anomalies.AnomaliesService, anomaliesService(deps));
  rpc.add(auth.AuthService, authService(deps));
  rpc.add(auth.UsersService, usersService(deps));
  rpc.add(auth.RolesService, rolesService(deps));
  rpc.add(auth.ApiTokensService, apiTokensService(deps));
  rpc.add(auth.SessionsService, sessionsService(deps));
  rpc.add(auth.DirectoryService, directoryService(deps));
  rpc.add(auth.OperatorService, operatorService(deps));
  rpc.add(clusterAdmin.ClusterAdminService, clusterAdminService(deps));
  rpc.add(devices.SitesService, sitesService(deps));
  rpc.add(devices.DevicesService, devicesService(deps));
  rpc.add(devices.DeviceGroupsService, deviceGroupsService(deps));
  rpc.add(devices.ConfigurationPoliciesService, configurationPoliciesService(deps));
  rpc.add(devices.DirectoryIdentitiesService, directoryIdentitiesService(deps));
  rpc.add(devices.AgentsService, agentsService(deps));
  rpc.add(devices.DeviceDirectoryService, deviceDirectoryService(deps));
  rpc.add(emergencyRestriction.EmergencyRestrictionService, emergencyRestrictionService(deps));
  rpc.add(evidence.EvidenceService, evidenceService(deps));
  rpc.add(license.LicenseService, licenseService(deps));
  rpc.add(settings.ConfigService, configService(deps));
  rpc.add(settings.SettingsService, settingsService(deps));
  rpc.add(tenants.TenantsService, tenantsService(deps));
  rpc.add(updates.UpdatesService, updatesService(deps));
  rpc.add(updates.ReplicasService, replicasService(deps));
}
