import type { KeyObject } from 'node:crypto';
import { leafHash } from '@claviger/merkle';
import { hasMac } from '../ingestion/check-message.ts';
import type { EventsTable } from '../schema.ts';

export type UnsequencedRow = Pick<EventsTable, 'event_id' | 'canonical' | 'leaf_hash' | 'mac' | 'service'>;

/**
 * Finds events whose MAC or leaf hash does not match their text, and events of a service that writes none.
 * Returns the reasons by event id.
 */
export function findAltered(
  rows: readonly UnsequencedRow[],
  macs: ReadonlyMap<string, KeyObject>,
): Map<string, string> {
  const altered = new Map<string, string>();
  for (const row of rows) {
    const key = macs.get(row.service);
    if (key === undefined) altered.set(row.event_id, 'its service does not write events');
    else if (!hasMac(key, `audit.${row.service}`, row.canonical, row.mac))
      altered.set(row.event_id, 'its text does not have the MAC of the service that wrote it');
    else if (!leafHash(row.canonical).equals(row.leaf_hash))
      altered.set(row.event_id, 'its leaf hash does not match its text');
  }
  return altered;
}
