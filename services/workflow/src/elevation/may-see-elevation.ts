import { type Actor, permits, withinSites } from '@claviger/service-kit';
import type { ElevationRow } from './elevation-schema.ts';

/** Whether the actor is the requester or the subject. */
export function isOwn(
  actor: Pick<Actor, 'userId' | 'responsibleId'>,
  row: Pick<ElevationRow, 'subject_user_id' | 'requester_id' | 'requester_made_by'>,
): boolean {
  const people = [actor.userId, actor.responsibleId];
  return [row.subject_user_id, row.requester_id, row.requester_made_by].some(
    (id) => id !== null && people.includes(id),
  );
}

/** Own requests, and with devices.read all those of the actor's sites. */
export function maySeeElevation(actor: Actor, row: ElevationRow): boolean {
  return isOwn(actor, row) || mayReadRulesOf(actor, row);
}

/**
 * Whether the actor may see the rule that decided a request or sent it to a person. A rule of a site decides
 * only in that site, so that permission to read rules there is sufficient.
 */
export function mayReadRulesOf(
  actor: Pick<Actor, 'permissions' | 'siteIds'>,
  row: Pick<ElevationRow, 'site_id'>,
): boolean {
  return permits(actor.permissions, 'devices.read') && withinSites(actor, row.site_id);
}
