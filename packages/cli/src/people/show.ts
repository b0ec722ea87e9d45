import { styleText } from 'node:util';
import { escapeJson, escapeText } from './escape.ts';

export type OutputFormat = 'table' | 'json';

type Cell = string | number | boolean | undefined | null;
/** A column: its heading, and what stands in it for a row. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => Cell];

/** JSON on standard output: indented for a person, one line for a program. */
export function showJson(value: unknown): void {
  const json = JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined);
  process.stdout.write(`${escapeJson(json)}\n`);
}

/** Aligned columns under headings, every cell escaped. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(([, cell]) => cellText(cell(row))));
  const lines = [columns.map(([heading]) => heading), ...cells];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) => line.map((cell, i) => (i === line.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** One object as `name  value` lines; empty values are left out. */
export function fieldsText(fields: readonly (readonly [name: string, value: Cell])[]): string {
  const shown = fields.filter(([, value]) => cellText(value) !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}`).join('\n');
}

function cellText(value: Cell): string {
  return value === undefined || value === null ? '' : escapeText(String(value));
}

/** Colour on standard error only when it is a terminal and NO_COLOR does not forbid it. */
export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

/** A time of the API, to the second, as UTC. */
export function timeText(time: string | undefined): string {
  return time === undefined ? '' : time.replace(/\.\d+Z$/, 'Z').replace('T', ' ');
}
