import type { MethodInfo } from '@claviger/contracts';

/**
 * Permissions that are refused while the actor has emergency access open. Emergency access replaces grants
 * and nothing else. A person who misuses it must not be able to make it permanent (users, roles, tokens,
 * tenants, settings, modules, policies, devices), copy keys (encryption), hide it (audit, siem, compliance),
 * or open and review further emergency access (breakglass).
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

/** Needs no permission, but weakens the sign-in of the person. */
const SELF_SERVICE = new Set(['/claviger.auth.v1.AuthService/DisableMfa']);

/** Audited reads are allowed too. Streams (exports, packages) are not: they copy the log. */
function onlyReads({ http, policy, responseStream }: MethodInfo): boolean {
  const asks = policy!.reads || (http.length > 0 && http.every(({ method }) => method === 'GET'));
  return asks && !responseStream && policy!.permission.endsWith('.read');
}

/** Whether a method is refused to an actor with open emergency access. Reads never are. */
export function refusedInEmergency(method: MethodInfo): boolean {
  const { path, policy } = method;
  if (!policy || policy.audit === '' || onlyReads(method)) return false;
  return SELF_SERVICE.has(path) || ADMINISTRATION.some((prefix) => policy.permission.startsWith(prefix));
}
