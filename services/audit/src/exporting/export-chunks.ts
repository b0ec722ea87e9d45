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
  /** Of csv: it begins with a byte order mark. */
  readonly bom: boolean;
  /** Empty for jsonl, which holds the whole log. */
  readonly filter: EventFilterRequest;
  /** The events under it are exported; without one there are none. */
  readonly head: SignedTreeHead | undefined;
  /** When the head was the newest, as `toISOString` writes it. */
  readonly exportedAt: string;
}

export interface ExportDeps {
  readonly database: Database<AuditSchema>;
  readonly logger: Logger;
  readonly treeHeadPublic: KeyObject;
  readonly pace: Pace;
}

/** The bytes of an export in chunks of about 64 KiB, in memory that does not grow with them. */
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
          'the columns of a sealed event were altered: its text in the export shows it',
        ),
    );
    return chunks(text, signal);
  }
  const events = eventsByTime(snapshot, eventFilter(filter));
  return chunks(format === 'csv' ? csvText(events, bom) : jsonText(events), signal);
}
