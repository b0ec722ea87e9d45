import type { KeyObject } from 'node:crypto';
import type { Database } from '@claviger/database';
import type { SignedTreeHead } from '@claviger/merkle';
import type { Logger, Pace } from '@claviger/service-kit';
import { type EventFilterRequest, eventFilter } from '../events/event-filter.ts';
import type { AuditSchema } from '../schema.ts';
import { eventsBySequence, eventsByTime } from './batches.ts';
import { chunks } from './chunks.ts';
import { csvText, jsonText, verifiableText } from './render.ts';

export type ExportFormat = 'csv' | 'json' | 'jsonl';

export interface ExportRequest {
  readonly format: ExportFormat;
  /** csv only: the text begins with a byte order mark. */
  readonly bom: boolean;
  /** Empty for jsonl, which exports the whole log. */
  readonly filter: EventFilterRequest;
  /** The events below this head are exported; without a head there are none. */
  readonly head: SignedTreeHead | undefined;
  /** When the head was read, as `toISOString` formats it. */
  readonly exportedAt: string;
}

export interface ExportDeps {
  readonly database: Database<AuditSchema>;
  readonly logger: Logger;
  readonly treeHeadPublic: KeyObject;
  readonly pace: Pace;
}

/** The bytes of an export in chunks of about 64 KiB. Memory use does not depend on the number of events. */
export function exportChunks(
  { database, logger, treeHeadPublic, pace }: ExportDeps,
  tenantId: string,
  { format, bom, filter, head, exportedAt }: ExportRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const snapshot = { database, tenantId, size: head?.size ?? 0, pace };
  if (format === 'jsonl') {
    const text = verifiableText(
      eventsBySequence(snapshot),
      head!,
      exportedAt,
      treeHeadPublic,
      (row, members) =>
        logger.error(
          { tenantId, eventId: row.event_id, members },
          'the columns of a sequenced event were altered: the exported text has their values, so verification fails',
        ),
    );
    return chunks(text, signal);
  }
  const events = eventsByTime(snapshot, eventFilter(filter));
  return chunks(format === 'csv' ? csvText(events, bom) : jsonText(events), signal);
}
