import type { Actor } from '@claviger/service-kit';
import type { Known } from '../disclosure/record-exposure.ts';

/** Who gives a secret knows it without ever retrieving it. */
export function setBy(actor: Pick<Actor, 'userId' | 'userName'>, entryId: string, version: number): Known {
  return { entryId, version, userId: actor.userId, userName: actor.userName, kind: 'set', via: null };
}
