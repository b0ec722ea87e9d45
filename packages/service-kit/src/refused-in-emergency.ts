import type { MethodInfo } from '@claviger/contracts';

/**
 * What nobody changes while they have emergency access open. It overcomes the grants of secrets and nothing else: whoever
 * forces it must not be able to make it last (users, roles, tokens, tenants, settings, modules, policies, devices
 * and the rules for them), to take keys
 * along (encryption), to hide it (audit, siem, compliance), or to open and judge further ones (breakglass).
 */
const ADMINISTRATION = [
  'users.',
  'roles.',
  'api-tokens.',
  'encryption.',
  'config.',
  'tenants.',
  'cluster.',
  'license.',
  'audit.',
  'siem.',
  'compliance.',
  'modules.',
  'access-policies.',
  'devices.write',
  'breakglass.confirm',
  'breakglass.manage',
];

/** Without a permission of their own, but they weaken who the person is. */
const SELF_SERVICE = new Set(['/claviger.auth.v1.AuthService/DisableMfa']);

/** Whether a method is refused to a person with open emergency access. Reading never is. */
export function refusedInEmergency({ path, policy }: MethodInfo): boolean {
  if (!policy || policy.audit === '') return false;
  return SELF_SERVICE.has(path) || ADMINISTRATION.some((prefix) => policy.permission.startsWith(prefix));
}
