import type { Reader } from '@claviger/database';
import { type SelectQueryBuilder, sql } from 'kysely';
import type { WorkflowSchema } from '../../schema.ts';

export const WINDOW_DAYS = 90;

/** The requests that count, and the request that they are compared with. */
export interface Scope {
  readonly entryId: string;
  readonly resourceId: string;
  /** The request itself, which is excluded. */
  readonly exceptRequestId: string | undefined;
  /** Only the requests of this user; undefined for all of the tenant. */
  readonly onlyOf: string | undefined;
}

type Rows = SelectQueryBuilder<WorkflowSchema, 'requests', object>;

/** All requests in scope within the window. */
function recent(reader: Reader<WorkflowSchema>, { exceptRequestId, onlyOf }: Scope): Rows {
  let rows = reader
    .selectFrom('requests')
    .where('requests.kind', '=', 'access')
    .where('requests.created_at', '>', sql<Date>`now() - make_interval(days => ${WINDOW_DAYS}::int)`);
  if (onlyOf) rows = rows.where('requests.requester_id', '=', onlyOf);
  if (exceptRequestId) rows = rows.where('requests.id', '!=', exceptRequestId);
  return rows;
}

/** Recent requests for the same entry or resource. */
function similar(reader: Reader<WorkflowSchema>, scope: Scope): Rows {
  return recent(reader, scope).where((each) =>
    each.or([
      each('requests.entry_id', '=', scope.entryId),
      ...(scope.resourceId ? [each('requests.resource_id', '=', scope.resourceId)] : []),
    ]),
  );
}

/** Durations are those of approved requests, as approved, in minutes; null without any. */
export function countSimilar(reader: Reader<WorkflowSchema>, scope: Scope) {
  const minutes = sql`coalesce(approved_duration_minutes, duration_minutes)`;
  return similar(reader, scope)
    .select([
      sql<number>`count(*)::int`.as('total'),
      sql<number>`count(*) FILTER (WHERE status = 'approved')::int`.as('approved'),
      sql<number>`count(*) FILTER (WHERE status = 'denied')::int`.as('denied'),
      sql<
        number | null
      >`percentile_disc(0.5) WITHIN GROUP (ORDER BY ${minutes}) FILTER (WHERE status = 'approved')`.as(
        'median',
      ),
      sql<
        number | null
      >`percentile_disc(0.9) WITHIN GROUP (ORDER BY ${minutes}) FILTER (WHERE status = 'approved')`.as('p90'),
    ])
    .executeTakeFirstOrThrow();
}

/** Approvers of similar requests, the most frequent first. */
export function approversOf(reader: Reader<WorkflowSchema>, scope: Scope) {
  return similar(reader, scope)
    .innerJoin('decisions', 'decisions.request_id', 'requests.id')
    .where('decisions.decision', '=', 'approve')
    .select([
      'decisions.user_id as userId',
      sql<string>`max(decisions.user_name)`.as('userName'),
      sql<number>`count(*)::int`.as('approvals'),
      sql<Date>`max(decisions.decided_at)`.as('lastApprovedAt'),
    ])
    .groupBy('decisions.user_id')
    .orderBy('approvals', 'desc')
    .orderBy('lastApprovedAt', 'desc')
    .limit(10)
    .execute();
}

/** Denials of similar requests, newest first. */
export function denialsOf(reader: Reader<WorkflowSchema>, scope: Scope) {
  return similar(reader, scope)
    .innerJoin('decisions', 'decisions.request_id', 'requests.id')
    .where('decisions.decision', '=', 'deny')
    .select([
      'requests.id as requestId',
      'decisions.user_name as deniedBy',
      'decisions.comment',
      'decisions.decided_at as deniedAt',
    ])
    .orderBy('decisions.decided_at', 'desc')
    .limit(5)
    .execute();
}

/**
 * The number of requests within the window at this hour of the week, plus or minus an hour. `at` undefined:
 * now.
 */
export function countAtThisTime(reader: Reader<WorkflowSchema>, scope: Scope, at: string | undefined) {
  const moment = at ? sql`${at}::timestamptz` : sql`now()`;
  const hourOfWeek = (time: ReturnType<typeof sql>) =>
    sql`((extract(isodow FROM ${time} AT TIME ZONE 'UTC') - 1) * 24 + extract(hour FROM ${time} AT TIME ZONE 'UTC'))::int`;
  const apart = sql`abs(${hourOfWeek(sql`requests.created_at`)} - ${hourOfWeek(moment)})`;
  return recent(reader, scope)
    .select([
      sql<number>`count(*)::int`.as('total'),
      sql<number>`count(*) FILTER (WHERE least(${apart}, 168 - ${apart}) <= 1)::int`.as('atThisTime'),
      sql<number>`extract(isodow FROM ${moment} AT TIME ZONE 'UTC')::int`.as('weekday'),
      sql<number>`extract(hour FROM ${moment} AT TIME ZONE 'UTC')::int`.as('hour'),
    ])
    .executeTakeFirstOrThrow();
}

export function unusedGrantsOf(reader: Reader<WorkflowSchema>, userId: string) {
  return reader
    .selectFrom('grants')
    .select(['id', 'entry_name', 'resource_name', 'starts_at', 'expires_at'])
    .where('user_id', '=', userId)
    .where('status', '=', 'active')
    .where('expires_at', '>', sql<Date>`now()`)
    .where('credentials_delivered_at', 'is', null)
    .orderBy('starts_at')
    .limit(20)
    .execute();
}
