import { type Actor, permits } from '@claviger/service-kit';

/** Actors with requests.decide or requests.read-all see all requests of the tenant; others see their own. */
export function seesAllRequests(actor: Actor): boolean {
  return permits(actor.permissions, 'requests.decide') || permits(actor.permissions, 'requests.read-all');
}
