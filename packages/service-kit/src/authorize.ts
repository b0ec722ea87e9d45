import { contractProblem, type MethodInfo } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { type Actor, permits } from './actor.ts';
import { refusedInEmergency } from './refused-in-emergency.ts';

const STEP_UP_WINDOW_SECONDS = 600;

/** Whether a service may call a method. A policy without callers allows only the gateway. */
export function mayCall(method: MethodInfo, caller: string): boolean {
  const callers = method.policy!.callers;
  return callers.length === 0 ? caller === 'gateway' : callers.includes(caller);
}

/** Throws unless the actor meets the method's policy. */
export function authorize(method: MethodInfo, actor: Actor | undefined): void {
  const policy = method.policy!;
  if (policy.public || policy.internal) return;
  if (!actor) throw new ClavigerError('unauthenticated', 'This operation requires sign-in.');
  if (policy.agent !== (actor.kind === 'agent')) {
    throw policy.agent
      ? new ClavigerError('denied', 'Only the agent of a device may call this.', {
          code: 'agents_only',
          hint: 'Use the token of the agent, not your own.',
        })
      : new ClavigerError('denied', 'The agent of a device may not call this.', { code: 'not_for_agents' });
  }
  if (actor.mfaPending && !policy.mfaPending) {
    throw new ClavigerError('unauthenticated', 'This session still requires its second factor.', {
      code: 'mfa_required',
      hint: 'Complete it with POST /api/v1/auth/mfa/challenge.',
    });
  }
  if (policy.permission && !permits(actor.permissions, policy.permission)) {
    throw new ClavigerError('denied', `This operation requires the permission ${policy.permission}.`, {
      hint: 'Ask an administrator for a role that contains it.',
    });
  }
  if (actor.emergency && refusedInEmergency(method)) {
    throw new ClavigerError('denied', 'Administration is refused while your emergency access is open.', {
      code: 'in_emergency',
      hint: 'End it with POST /api/v1/breakglass/deactivate, or ask another administrator.',
    });
  }
  if (policy.platform && !actor.platform) {
    throw new ClavigerError('denied', 'This operation concerns the whole installation, not one tenant.', {
      code: 'platform_only',
      hint: 'Sign in as an administrator of the tenant that runs the installation.',
    });
  }
  if (policy.stepUp && Date.now() / 1000 - actor.mfaAt > STEP_UP_WINDOW_SECONDS) {
    throw new ClavigerError(
      'step_up_required',
      'This operation requires a second factor within the last ten minutes.',
      {
        code: 'mfa_not_satisfied',
        hint: 'Verify it with POST /api/v1/auth/mfa/challenge, then try again.',
      },
    );
  }
}

/**
 * Describes what is wrong with a method's policy. Exactly one of permission, authenticated, public, internal
 * and agent must be set; the service does not start otherwise.
 */
export function policyProblem(method: MethodInfo): string | undefined {
  const policy = method.policy;
  if (!policy) return 'has no policy';
  const ways = [
    policy.permission !== '',
    policy.authenticated,
    policy.public,
    policy.internal,
    policy.agent,
  ].filter(Boolean).length;
  if (ways !== 1) return 'must set exactly one of permission, authenticated, public, internal and agent';
  if (method.http.length > 0 && policy.rateTier === 0) return 'has a REST binding but no rate tier';
  if (policy.internal && policy.callers.length === 0) return 'is internal but names no callers';
  const changes = method.http.some((binding) => binding.method !== 'GET');
  if (changes && policy.audit === '' && !policy.authenticated && !policy.reads)
    return 'changes something but names no audit action';
  if (policy.platform && policy.permission === '') return 'is for the platform but names no permission';
  if (policy.discloses && policy.audit === '') return 'discloses a secret but names no audit action';
  return contractProblem(method);
}
