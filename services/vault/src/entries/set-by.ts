import type { Actor } from '@claviger/service-kit';
import type { Known } from '../disclosure/record-exposure.ts';

/** The exposure of an actor who typed the secret. */
export function setBy(actor: Pick<Actor, 'userId' | 'userName'>, entryId: string, version: number): Known {
  return { entryId, version, userId: actor.userId, userName: actor.userName, kind: 'set', via: null };
}
