import { say, tell } from '../output.ts';
import type { Listed } from './paging.ts';
import { type Column, type OutputFormat, showJson, tableText } from './show.ts';

/** A list as a table, or as `{items, totalItems}`. */
export function showList<Row>(
  listed: Listed<Row>,
  columns: readonly Column<Row>[],
  format: OutputFormat,
): void {
  if (format === 'json') return showJson(listed);
  if (listed.items.length === 0) return tell('there are none');
  say(tableText(columns, listed.items));
}
