import type { Actor } from '@claviger/service-kit';
import { peopleBehind, permits } from '@claviger/service-kit';

export interface Proposal {
  readonly proposedBy: string;
  readonly proposers: readonly string[];
}

export interface AdoptionState {
  /** Null for nobody. */
  readonly ownerId: string | null;
  /** Of the resource that the entry belongs to; null for nobody or no resource. */
  readonly resourceOwnerId: string | null;
  /** Those of all who are named here who are active users. */
  readonly active: ReadonlySet<string>;
  /** One that waits for its confirmation. */
  readonly proposal: Proposal | undefined;
}

export type AdoptionVerdict =
  | {
      readonly kind: 'refused';
      readonly because: 'owner_present' | 'resource_owner_adopts' | 'two_administrators' | 'second_person';
    }
  | { readonly kind: 'proposed' }
  | { readonly kind: 'adopted'; readonly ownerId: string };

/** Who takes over an entry whose owner has left: the owner of its resource, else what two administrators agree on. */
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
