import { anyOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Actor, withinSites } from '@claviger/service-kit';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/**
 * Throws `site_denied` if an actor restricted to sites writes a rule for another site or for the whole
 * organisation.
 */
export function requireSite(actor: Pick<Actor, 'siteIds'>, siteId: string | null | undefined): void {
  if (withinSites(actor, siteId ?? null)) return;
  throw new ClavigerError(
    'denied',
    siteId
      ? 'This site is not one of yours.'
      : 'You can write rules only for your own sites, not for the whole organisation.',
    { code: 'site_denied' },
  );
}

/** Readers see the rules of the organisation and of their own sites. */
export function visibleTo(actor: Pick<Actor, 'siteIds'>) {
  return (each: ExpressionBuilder<WorkflowSchema, 'rule_revisions'>): Expression<SqlBool> => {
    if (actor.siteIds === undefined) return sql<boolean>`true`;
    const sites = actor.siteIds.map((id) => id.toLowerCase());
    const organisation = each('site_id', 'is', null);
    return sites.length > 0
      ? each.or([organisation, each('site_id', '=', anyOf(sites, 'text'))])
      : organisation;
  };
}
