import { createHash } from 'node:crypto';
import { csvRows, readRows } from '../content/row-file.ts';
import { type Row, type TableName, tableFiles, tableNamed } from '../content/tables.ts';

export interface TableCheck {
  readonly rows: number;
  /** SHA-256 of the CSV that belongs to these rows. */
  readonly csvSha256: string;
}

/**
 * Reads a table's JSON and computes the CSV that belongs to it, with or without `bom`. Calls `onRow` for
 * every row.
 */
export async function checkTable(
  name: TableName,
  bytes: AsyncIterable<Uint8Array>,
  bom: boolean | undefined,
  onRow: (row: Row) => void | Promise<void> = () => {},
): Promise<TableCheck> {
  const csv = csvRows(tableNamed(name), bom);
  const hash = createHash('sha256').update(csv.header);
  let rows = 0;
  for await (const row of readRows(tableFiles(name).json, bytes)) {
    rows += 1;
    await onRow(row);
    hash.update(csv.next(row));
  }
  return { rows, csvSha256: hash.digest('hex') };
}
