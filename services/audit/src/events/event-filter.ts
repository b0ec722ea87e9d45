import { likeTerm } from '@claviger/database';
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely';
import type { AuditSchema } from '../schema.ts';
import { type TimeRange, timeRange } from './time-range.ts';

/** Filters of a request; empty strings are not set. */
export interface EventFilterRequest {
  readonly from: string;
  readonly to: string;
  readonly userId?: string;
  /** Exact, or a prefix that ends in `*`. */
  readonly action?: string;
  readonly outcome?: string;
  readonly resourceId?: string;
  readonly subjectId?: string;
  readonly search?: string;
}

export interface EventFilter {
  readonly isEmpty: boolean;
  /** Whether the filter searches texts, which no index supports. */
  readonly scans: boolean;
  /** The conditions that indexes support. */
  indexed(eb: ExpressionBuilder<AuditSchema, 'events'>): ExpressionWrapper<AuditSchema, 'events', SqlBool>;
  condition(eb: ExpressionBuilder<AuditSchema, 'events'>): ExpressionWrapper<AuditSchema, 'events', SqlBool>;
}

// Sorts after every text that begins with the preceding prefix.
const LAST = '\u{10FFFF}';

/** @throws {ClavigerError} `invalid` for a bad range. */
export function eventFilter(request: EventFilterRequest): EventFilter {
  const range: TimeRange = timeRange(request);
  const { userId, action, outcome, resourceId, subjectId, search } = request;
  const isEmpty =
    !range.from && !range.before && ![userId, action, outcome, resourceId, subjectId, search].some(Boolean);
  const indexed: EventFilter['indexed'] = (eb) =>
    eb.and([
      ...(range.from ? [eb('occurred_at', '>=', range.from)] : []),
      ...(range.before ? [eb('occurred_at', '<', range.before)] : []),
      ...(userId ? [eb('actor_id', '=', userId)] : []),
      ...(action ? [actionCondition(eb, action)] : []),
      ...(outcome ? [eb('outcome', '=', outcome)] : []),
      ...(resourceId ? [eb('resource_id', '=', resourceId)] : []),
      ...(subjectId ? [eb('subject_id', '=', subjectId)] : []),
    ]);
  return {
    isEmpty,
    scans: Boolean(search),
    indexed,
    condition: (eb) => {
      if (!search) return indexed(eb);
      const found = (['actor_name', 'action', 'subject_id', 'reason'] as const).map((column) =>
        eb(column, 'ilike', likeTerm(search)),
      );
      return eb.and([indexed(eb), eb.or(found)]);
    },
  };
}

/** Uses a range instead of LIKE: under row-level security, LIKE cannot use the index. */
function actionCondition(eb: ExpressionBuilder<AuditSchema, 'events'>, action: string) {
  if (!action.endsWith('*')) return eb('action', '=', action);
  const prefix = action.slice(0, -1);
  return eb.and([eb('action', '>=', prefix), eb('action', '<', prefix + LAST)]);
}
