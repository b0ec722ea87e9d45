import * as auth from '@claviger/contracts/auth/v1/auth';
import * as emergencyStanding from '@claviger/contracts/auth/v1/emergency_standing';
import type { RpcServer } from '@claviger/service-kit';
import { createApiToken } from './api-tokens/create-api-token.ts';
import { listApiTokens } from './api-tokens/list-api-tokens.ts';
import { revokeApiToken } from './api-tokens/revoke-api-token.ts';
import type { AuthDeps } from './deps.ts';
import { getStanding } from './directory/get-standing.ts';
import { getUserNames } from './directory/get-user-names.ts';
import { applyEmergencyStanding } from './emergency/apply-emergency-standing.ts';
import { addEvidenceHandlers } from './evidence/add-evidence-handlers.ts';
import { completeMfaChallenge } from './mfa/complete-mfa-challenge.ts';
import { disableMfa } from './mfa/disable-mfa.ts';
import { disableUserMfa } from './mfa/disable-user-mfa.ts';
import { regenerateRecoveryCodes } from './mfa/regenerate-recovery-codes.ts';
import { setupMfa } from './mfa/setup-mfa.ts';
import { setupMfaWithPassword } from './mfa/setup-mfa-with-password.ts';
import { verifyMfa } from './mfa/verify-mfa.ts';
import { bootstrapAdministrator } from './operator/bootstrap-administrator.ts';
import { completeSetup } from './operator/complete-setup.ts';
import { createSetupLink } from './operator/create-setup-link.ts';
import { listTenantIds } from './operator/list-tenant-ids.ts';
import { provisionTenant } from './operator/provision-tenant.ts';
import { unlockAdministrator } from './operator/unlock-administrator.ts';
import { changeMyPassword } from './passwords/change-my-password.ts';
import { completePasswordReset } from './passwords/complete-password-reset.ts';
import { setUserPassword } from './passwords/set-user-password.ts';
import { startPasswordReset } from './passwords/start-password-reset.ts';
import { createRole } from './roles/create-role.ts';
import { deleteRole } from './roles/delete-role.ts';
import { getRole } from './roles/get-role.ts';
import { listPermissions } from './roles/list-permissions.ts';
import { listRoles } from './roles/list-roles.ts';
import { updateRole } from './roles/update-role.ts';
import { introspect } from './sign-in/introspect.ts';
import { login } from './sign-in/login.ts';
import { logout } from './sign-in/logout.ts';
import { refresh } from './sign-in/refresh.ts';
import { createUser } from './users/create-user.ts';
import { deleteUser } from './users/delete-user.ts';
import { getCurrentUser } from './users/get-current-user.ts';
import { getUser } from './users/get-user.ts';
import { listUserRoles } from './users/list-user-roles.ts';
import { listUsers } from './users/list-users.ts';
import { revokeUserSessions } from './users/revoke-user-sessions.ts';
import { setResponsiblePerson } from './users/set-responsible-person.ts';
import { unlockUser } from './users/unlock-user.ts';
import { updateUser } from './users/update-user.ts';
import { updateUserRoles } from './users/update-user-roles.ts';

export function addHandlers(server: RpcServer, deps: AuthDeps): void {
  server.add(emergencyStanding.EmergencyStandingService, { apply: applyEmergencyStanding(deps) });
  server.add(auth.AuthService, {
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
  server.add(auth.UsersService, {
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
  server.add(auth.RolesService, {
    listRoles: listRoles(deps),
    getRole: getRole(deps),
    createRole: createRole(deps),
    updateRole: updateRole(deps),
    deleteRole: deleteRole(deps),
    listPermissions: listPermissions(),
  });
  server.add(auth.ApiTokensService, {
    listApiTokens: listApiTokens(deps),
    createApiToken: createApiToken(deps),
    revokeApiToken: revokeApiToken(deps),
  });
  server.add(auth.SessionsService, { introspect: introspect(deps) });
  server.add(auth.DirectoryService, {
    getUserNames: getUserNames(deps),
    getStanding: getStanding(deps),
  });
  addEvidenceHandlers(server, deps);
  server.add(auth.OperatorService, {
    bootstrapAdministrator: bootstrapAdministrator(deps),
    createSetupLink: createSetupLink(deps),
    provisionTenant: provisionTenant(deps),
    listTenantIds: listTenantIds(deps),
    unlockAdministrator: unlockAdministrator(deps),
  });
}
