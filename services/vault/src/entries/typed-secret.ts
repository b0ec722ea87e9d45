import type { Actor } from '@claviger/service-kit';
import type { ExposureRecord } from '../disclosure/record-exposure.ts';

/** The exposure of an actor who typed the secret. */
export function exposureByTyping(
  actor: Pick<Actor, 'userId' | 'userName'>,
  entryId: string,
  version: number,
): ExposureRecord {
  return { entryId, version, userId: actor.userId, userName: actor.userName, kind: 'set', via: null };
}
