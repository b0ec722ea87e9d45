import { canonicalJson } from '@claviger/merkle';

// What a spreadsheet takes for the beginning of a formula, also behind quotes and blanks, also in full width.
const FORMULA = /^["'\s\u00a0\u3000\ufeff]*[=+\-@\t\r\n\u0000|%＝＋－＠｜％]/u;
const LINE = /^[\t\r\n\u0000]/;

/** Begins a file, once, for spreadsheets that take one without it for another encoding than UTF-8. */
export const BYTE_ORDER_MARK = '\ufeff';

/** One cell: always quoted, never a formula. Lists and objects stand in it as JSON. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '""';
  if (typeof value === 'number' || typeof value === 'boolean') return `"${value}"`;
  const text = typeof value === 'string' ? value : canonicalJson(value);
  const guarded = FORMULA.test(text) || LINE.test(text) ? `'${text}` : text;
  return `"${guarded.replaceAll('"', '""')}"`;
}

/** One row with its line end, as RFC 4180 writes it. */
export function csvRow(values: readonly unknown[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
