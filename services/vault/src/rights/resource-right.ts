import type { Actor } from '@claviger/service-kit';
import { isAdministrator } from './effective-access.ts';

/** Why the actor may act as the owner of a resource; undefined if not. */
export function resourceRight(
  actor: Actor,
  resource: { readonly owner_id: string | null },
): 'owner' | 'administrator' | undefined {
  if (resource.owner_id === actor.userId) return 'owner';
  return isAdministrator(actor) ? 'administrator' : undefined;
}
