import type { KeyObject } from 'node:crypto';
import { BYTE_ORDER_MARK, csvRow } from '@claviger/csv';
import type { AuditEvent } from '@claviger/events';
import {
  canonicalJson,
  exportEventLine,
  exportHeaderLine,
  exportTrailerLine,
  leafHash,
  type SignedTreeHead,
} from '@claviger/merkle';
import { differingMembers } from '../event-columns.ts';
import { eventMessage, type StoredEvent } from '../events/event-message.ts';
import type { EventRow } from '../schema.ts';

type Batches<Row = StoredEvent> = AsyncIterable<Row[]>;

const COLUMNS = [
  'sequence',
  'id',
  'occurredAt',
  'action',
  'outcome',
  'actorId',
  'actorName',
  'actorKind',
  'subjectType',
  'subjectId',
  'resourceId',
  'service',
  'sourceAddress',
  'requestId',
  'reason',
  'leafHash',
] as const;

/** CSV rows of events below a header row; `bom` starts the text with a byte order mark. */
export async function* csvText(batches: Batches, bom: boolean): AsyncGenerator<string> {
  yield `${bom ? BYTE_ORDER_MARK : ''}${csvRow([...COLUMNS, 'details'])}`;
  for await (const rows of batches) {
    for (const row of rows) {
      const event = eventMessage(row);
      yield csvRow([...COLUMNS.map((name) => event[name] ?? ''), JSON.stringify(event.details)]);
    }
  }
}

/** A JSON array of events as the API shows them. */
export async function* jsonText(batches: Batches): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const rows of batches) {
    for (const row of rows) {
      const { canonical: _, ...event } = eventMessage(row);
      yield separator + JSON.stringify(event);
      separator = ',\n';
    }
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

/** The whole log below a head, in the format that `verifyExport` reads. */
export async function* verifiableText(
  batches: Batches<EventRow>,
  head: SignedTreeHead,
  exportedAt: string,
  publicKey: KeyObject,
  onDiffering: (row: EventRow, members: string[]) => void,
): AsyncGenerator<string> {
  yield `${exportHeaderLine({ treeHead: head, publicKeys: [publicKey], exportedAt })}\n`;
  let count = 0;
  for await (const rows of batches) {
    for (const row of rows) {
      count += 1;
      const canonical = shownText(row, onDiffering);
      yield `${exportEventLine({ seq: row.sequence!, leafHash: row.leaf_hash, canonical })}\n`;
    }
  }
  yield `${exportTrailerLine(count)}\n`;
}

/**
 * Returns the exported text of an event. If the columns of the row differ from the canonical event, the text
 * contains the values of the columns: its leaf hash then does not match, so verification names the event.
 */
function shownText(row: EventRow, onDiffering: (row: EventRow, members: string[]) => void): string {
  // Leave an altered text as it is: the columns must not repair it.
  if (!leafHash(row.canonical).equals(row.leaf_hash)) return row.canonical;
  let event: AuditEvent;
  try {
    event = JSON.parse(row.canonical) as AuditEvent;
  } catch {
    return row.canonical;
  }
  const differing = differingMembers(row, event);
  const members = Object.keys(differing);
  if (members.length === 0) return row.canonical;
  onDiffering(row, members);
  return canonicalJson({ ...event, ...differing });
}
