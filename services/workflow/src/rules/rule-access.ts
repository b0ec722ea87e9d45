import { anyOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Actor, withinSites } from '@claviger/service-kit';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** Who is kept to sites writes what holds for those alone: nothing that reaches further, the whole organisation least of all. */
export function requireSite(actor: Pick<Actor, 'siteIds'>, siteId: string | null | undefined): void {
  if (withinSites(actor, siteId ?? null)) return;
  throw new ClavigerError(
    'denied',
    siteId
      ? 'This site is not one of yours.'
      : 'You write for your own sites only, not for the organisation.',
    { code: 'site_denied' },
  );
}

/** Reads show what holds for the organisation and for the reader's own sites. */
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
