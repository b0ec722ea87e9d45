import type { Actor } from '@claviger/service-kit';
import { peopleBehind, permits } from '@claviger/service-kit';

export interface Proposal {
  readonly proposedBy: string;
  readonly proposers: readonly string[];
}

export interface AdoptionState {
  /** Null without an owner. */
  readonly ownerId: string | null;
  /** Owner of the entry's resource; null without an owner or a resource. */
  readonly resourceOwnerId: string | null;
  /** The named users who are active. */
  readonly active: ReadonlySet<string>;
  /** The open proposal, if there is one. */
  readonly proposal: Proposal | undefined;
}

export type AdoptionVerdict =
  | {
      readonly kind: 'refused';
      readonly because: 'owner_present' | 'resource_owner_adopts' | 'two_administrators' | 'second_person';
    }
  | { readonly kind: 'proposed' }
  | { readonly kind: 'adopted'; readonly ownerId: string };

/**
 * Decides who takes over an entry whose owner has left: the active owner of its resource; without one, the
 * administrator who proposed it, after a second administrator has confirmed.
 */
export function decideAdoption(state: AdoptionState, actor: Actor): AdoptionVerdict {
  const { ownerId, resourceOwnerId, active, proposal } = state;
  if (ownerId !== null && active.has(ownerId)) return { kind: 'refused', because: 'owner_present' };
  if (resourceOwnerId !== null && active.has(resourceOwnerId)) {
    return actor.userId === resourceOwnerId
      ? { kind: 'adopted', ownerId: resourceOwnerId }
      : { kind: 'refused', because: 'resource_owner_adopts' };
  }
  if (actor.kind !== 'user' || !permits(actor.permissions, 'vault.entries.adopt'))
    return { kind: 'refused', because: 'two_administrators' };
  if (!proposal || !active.has(proposal.proposedBy)) return { kind: 'proposed' };
  if (peopleBehind(actor).some((id) => proposal.proposers.includes(id)))
    return { kind: 'refused', because: 'second_person' };
  return { kind: 'adopted', ownerId: proposal.proposedBy };
}
