import type { audit, HttpBody } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { AuditDeps } from '../audit-deps.ts';
import { type EventFilter, eventFilter } from '../events/event-filter.ts';
import { notSealed } from '../not-sealed.ts';
import { lastHead } from '../sealing/store.ts';
import { eventsBySequence, eventsByTime, type Snapshot } from './batches.ts';
import { chunks } from './chunks.ts';
import { csvText, jsonText, verifiableText } from './render.ts';

type Format = 'csv' | 'json' | 'jsonl';

const CONTENT_TYPES: Record<Format, string> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/jsonl',
};

/**
 * Streams the sealed events of a filter, in memory that does not grow with them. Format jsonl is the whole log with its
 * tree head, for offline verification. That an export was made is on record before its first byte leaves.
 */
export function exportEvents(deps: AuditDeps): Handler<typeof audit.AuditServiceService.exportEvents> {
  return async function* (request, context): AsyncGenerator<HttpBody> {
    const filter = eventFilter(request);
    const format = (request.format || 'csv') as Format;
    if (format === 'jsonl' && !filter.isEmpty) {
      throw new ClavigerError('invalid', 'The request is not valid.', {
        fields: [
          { pointer: '/format', detail: 'jsonl holds the whole log, which a filter would make unverifiable' },
        ],
        hint: 'Leave the filters out, or take csv or json.',
      });
    }
    const { tenantId, signal } = context;
    const head = await deps.database.readTenant(tenantId, lastHead);
    if (format === 'jsonl' && head === undefined) throw notSealed('The audit log of this tenant is');
    context.auditSubject = { type: 'audit-log', id: tenantId };
    await deps.database.withTenant(tenantId, (tx) =>
      deps.emitter.audit(tx, context, {
        subject: { type: 'audit-log', id: tenantId },
        details: { ...given(request), format, upTo: head?.size ?? 0 },
      }),
    );
    const snapshot = { database: deps.database, tenantId, size: head?.size ?? 0 };
    let contentType = CONTENT_TYPES[format];
    for await (const data of chunks(texts(deps, format, snapshot, filter, head), signal)) {
      yield { contentType, data, extensions: [] };
      contentType = '';
    }
  };
}

function given(request: audit.ExportEventsRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== ''));
}

function texts(
  deps: AuditDeps,
  format: Format,
  snapshot: Snapshot,
  filter: EventFilter,
  head: Awaited<ReturnType<typeof lastHead>>,
): AsyncIterable<string> {
  if (format === 'csv') return csvText(eventsByTime(snapshot, filter));
  if (format === 'json') return jsonText(eventsByTime(snapshot, filter));
  return verifiableText(eventsBySequence(snapshot), head!, deps.keys.treeHeadPublic, (row, members) =>
    deps.logger.error(
      { tenantId: snapshot.tenantId, eventId: row.event_id, members },
      'the columns of a sealed event were altered: its text in the export shows it',
    ),
  );
}
