import { type Actor, permits } from '@claviger/service-kit';

/** Whoever decides or oversees sees the requests of the tenant; everybody else their own. */
export function seesAllRequests(actor: Actor): boolean {
  return permits(actor.permissions, 'requests.decide') || permits(actor.permissions, 'requests.read-all');
}
