import { canonicalJson } from '@claviger/merkle';

// What a spreadsheet treats as the start of a formula, also after quotes and blanks, also in full width.
const FORMULA = /^["'\s\u00a0\u3000\ufeff]*[=+\-@\t\r\n\u0000|%＝＋－＠｜％]/u;
const LINE = /^[\t\r\n\u0000]/;

/** Starts a file, once, for spreadsheets that otherwise assume an encoding other than UTF-8. */
export const BYTE_ORDER_MARK = '\ufeff';

/** Formats one cell: always quoted, never a formula. Lists and objects are written as JSON. */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '""';
  if (typeof value === 'number' || typeof value === 'boolean') return `"${value}"`;
  const text = typeof value === 'string' ? value : canonicalJson(value);
  const guarded = FORMULA.test(text) || LINE.test(text) ? `'${text}` : text;
  return `"${guarded.replaceAll('"', '""')}"`;
}

/** Formats one row with its line end (RFC 4180). */
export function csvRow(values: readonly unknown[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
