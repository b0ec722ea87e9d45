import { type CallContext, permits } from '@claviger/service-kit';

/** What others are told of any problem with the provider. */
export const UNIFORM_PROBLEM = 'The provider could not be used.';

/** Why the provider was of no use, for those who set where it is: for others it would tell what can be reached from here. */
export function shownProblem(problem: string, { actor }: Pick<CallContext, 'actor'>): string {
  return problem === '' || permits(actor.permissions, 'config.update') ? problem : UNIFORM_PROBLEM;
}
