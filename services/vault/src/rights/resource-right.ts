import type { Actor } from '@claviger/service-kit';
import { isAdministrator } from './effective-access.ts';

/** By which right the actor acts as the owner of a resource; undefined for none. */
export function resourceRight(
  actor: Actor,
  resource: { readonly owner_id: string | null },
): 'owner' | 'administrator' | undefined {
  if (resource.owner_id === actor.userId) return 'owner';
  return isAdministrator(actor) ? 'administrator' : undefined;
}
