import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { anyOf, likeTerm, pageOf, type Reader, type SortFields } from '@claviger/database';
import type { Actor, Handler } from '@claviger/service-kit';
import { type SelectQueryBuilder, sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import { dateRange } from '../date-range.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { ElevationDeps } from './deps.ts';
import type { ElevationStatus } from './elevation-schema.ts';
import { elevationMessage } from './elevation-view.ts';
import { requireSite } from './refusals.ts';

const DEFAULT_LIMIT = 50;
const SORT: SortFields = {
  requestedAt: { column: 'requested_at', type: 'timestamptz' },
  expiresAt: { column: 'expires_at', type: 'timestamptz', nullable: true },
  deviceHostname: { column: 'device_hostname', type: 'text', nullable: true },
  subjectUsername: { column: 'subject_username', type: 'text', nullable: true },
};

type Request = elevation.ListElevationRequestsRequest;
type Rows = SelectQueryBuilder<WorkflowSchema, 'elevation_requests', object>;

/** Newest first unless the request sorts. Actors restricted to sites see those of their sites. */
export function listElevationRequests(
  deps: Pick<ElevationDeps, 'database'>,
): Handler<typeof elevation.ElevationRequestsService.listElevationRequests> {
  return async (request, context) => {
    dateRange(request);
    if (request.siteId) requireSite(context.actor, request.siteId);
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const rows = filtered(reader, request, context.actor);
      const [page, nowMs] = await Promise.all([
        pageOf({
          request: { ...request, pageSize: request.limit ?? DEFAULT_LIMIT },
          query: rows.selectAll(),
          sort: SORT,
          defaultSort: 'requestedAt',
          defaultOrder: request.sortBy ? 'asc' : 'desc',
          tieBreaker: { column: 'id', type: 'uuid' },
          map: (row) => row,
        }),
        presentMs(reader),
      ]);
      return {
        success: true,
        requests: page.items.map((row) => elevationMessage(row, nowMs, context.actor)),
        pagination: { page: page.page, limit: page.pageSize, total: page.totalItems },
        nextCursor: page.nextCursor,
      };
    });
  };
}

function filtered(reader: Reader<WorkflowSchema>, request: Request, actor: Actor): Rows {
  let rows: Rows = withinSitesOf(reader.selectFrom('elevation_requests'), actor);
  rows = withStatus(rows, request.status as ElevationStatus | '');
  if (request.flowType) rows = rows.where('flow_type', '=', request.flowType as 'uac_intercept');
  if (request.deviceId) rows = rows.where('device_id', '=', request.deviceId);
  if (request.siteId) rows = rows.where('site_id', '=', request.siteId);
  const { from, before } = dateRange(request);
  if (from) rows = rows.where('requested_at', '>=', from);
  if (before) rows = rows.where('requested_at', '<', before);
  if (!request.search) return rows;
  const term = likeTerm(request.search);
  return rows.where((each) =>
    each.or(
      (['subject_username', 'device_hostname', 'target_executable_path', 'tool_name'] as const).map(
        (column) => each(column, 'ilike', term),
      ),
    ),
  );
}

/** Rows without a site are invisible to actors restricted to sites. */
export function withinSitesOf(rows: Rows, actor: Pick<Actor, 'siteIds'>): Rows {
  if (actor.siteIds === undefined) return rows;
  return actor.siteIds.length > 0
    ? rows.where('site_id', '=', anyOf(actor.siteIds, 'uuid'))
    : rows.where(sql<boolean>`false`);
}

/**
 * Agrees with the status shown: an elevation past its end has expired, even before the sweep updates its row.
 */
function withStatus(rows: Rows, status: ElevationStatus | ''): Rows {
  switch (status) {
    case '':
      return rows;
    case 'expired':
      return rows.where(
        sql<boolean>`(status = 'expired' OR (status IN ('pending', 'approved', 'auto_approved', 'actuating')
          AND expires_at <= clock_timestamp()))`,
      );
    case 'denied':
    case 'revoked':
      return rows.where('status', '=', status);
    default:
      return rows.where('status', '=', status).where('expires_at', '>', sql<Date>`clock_timestamp()`);
  }
}
