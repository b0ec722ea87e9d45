import { type Actor, permits, withinSites } from '@claviger/service-kit';
import type { ElevationRow } from './elevation-schema.ts';

/** Whether the request is somebody's own: they asked, or it is for them. */
export function isOwn(
  actor: Pick<Actor, 'userId' | 'responsibleId'>,
  row: Pick<ElevationRow, 'subject_user_id' | 'requester_id' | 'requester_made_by'>,
): boolean {
  const people = [actor.userId, actor.responsibleId];
  return [row.subject_user_id, row.requester_id, row.requester_made_by].some(
    (id) => id !== null && people.includes(id),
  );
}

/** One's own, or any with devices.read in the sites that one is kept to. */
export function maySeeElevation(actor: Actor, row: ElevationRow): boolean {
  return isOwn(actor, row) || mayReadRulesOf(actor, row);
}

/**
 * Whether the rule that decided a request, or sent it to a person, may be named. A rule of a site decides in that site alone, so
 * whoever reads rules there may read this one.
 */
export function mayReadRulesOf(
  actor: Pick<Actor, 'permissions' | 'siteIds'>,
  row: Pick<ElevationRow, 'site_id'>,
): boolean {
  return permits(actor.permissions, 'devices.read') && withinSites(actor, row.site_id);
}
