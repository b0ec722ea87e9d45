import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { HttpBody } from '@claviger/contracts/google/api/httpbody';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { eventFilter } from '../events/event-filter.ts';
import { notSequenced } from '../not-sequenced.ts';
import { lastHead } from '../sequencing/head-store.ts';
import type { ExportingDeps } from './deps.ts';
import type { ExportFormat } from './export-chunks.ts';

const CONTENT_TYPES: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/jsonl',
};

/**
 * Streams the sequenced events of a filter; memory use does not depend on their number. jsonl is the whole
 * log with its tree head, for offline verification. The audit event is stored before the first byte is sent.
 */
export function exportEvents(deps: ExportingDeps): Handler<typeof audit.AuditService.exportEvents> {
  return async function* (request, context): AsyncGenerator<HttpBody> {
    const filter = eventFilter(request);
    const format = (request.format || 'csv') as ExportFormat;
    if (format === 'jsonl' && !filter.isEmpty) {
      throw new ClavigerError('invalid', 'The request is not valid.', {
        fields: [
          { pointer: '/format', detail: 'jsonl exports the whole log: a filtered log cannot be verified' },
        ],
        hint: 'Remove the filters, or use csv or json.',
      });
    }
    if (request.bom && format !== 'csv') {
      throw new ClavigerError('invalid', 'The request is not valid.', {
        fields: [{ pointer: '/bom', detail: 'is only valid with csv: JSON has no byte order mark' }],
        hint: 'Remove bom, or use csv.',
      });
    }
    const { tenantId, signal } = context;
    const exportedAt = new Date().toISOString();
    const head = await deps.database.readTenant(tenantId, lastHead);
    if (format === 'jsonl' && head === undefined) throw notSequenced('The audit log of this tenant is');
    context.auditSubject = { type: 'audit-log', id: tenantId };
    await deps.database.withTenant(tenantId, (tx) =>
      deps.emitter.audit(tx, context, {
        subject: { type: 'audit-log', id: tenantId },
        details: { ...given(request), format, upTo: head?.size ?? 0 },
      }),
    );
    let contentType = CONTENT_TYPES[format];
    const job = {
      kind: 'export',
      tenantId,
      request: { format, bom: request.bom, filter: request, head, exportedAt },
    } as const;
    for await (const data of deps.costly.values(job, signal)) {
      yield { contentType, data: Buffer.from(data.buffer, data.byteOffset, data.length), extensions: [] };
      contentType = '';
    }
  };
}

function given(request: audit.ExportEventsRequest): Record<string, string | boolean> {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== '' && value !== false));
}
