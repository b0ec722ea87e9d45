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

/** Reads that leave an event, too. What streams (exports, packages) takes the log along and is none. */
function onlyReads({ http, policy, responseStream }: MethodInfo): boolean {
  const asks = policy!.reads || (http.length > 0 && http.every(({ method }) => method === 'GET'));
  return asks && !responseStream && policy!.permission.endsWith('.read');
}

/** Whether a method is refused to a person with open emergency access. Reading never is. */
export function refusedInEmergency(method: MethodInfo): boolean {
  const { path, policy } = method;
  if (!policy || policy.audit === '' || onlyReads(method)) return false;
  return SELF_SERVICE.has(path) || ADMINISTRATION.some((prefix) => policy.permission.startsWith(prefix));
}
