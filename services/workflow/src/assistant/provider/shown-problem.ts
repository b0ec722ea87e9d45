import { type CallContext, permits } from '@claviger/service-kit';

/** The text for users who may not see the details of a problem with the provider. */
export const UNIFORM_PROBLEM = 'The provider could not be used.';

/**
 * The problem of the provider, for users who may configure it. Other users would learn which addresses are
 * reachable.
 */
export function shownProblem(problem: string, { actor }: Pick<CallContext, 'actor'>): string {
  return problem === '' || permits(actor.permissions, 'config.update') ? problem : UNIFORM_PROBLEM;
}
