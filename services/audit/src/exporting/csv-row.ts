// What a spreadsheet takes for the beginning of a formula, also behind quotes and blanks, also in full width.
const FORMULA = /^["'\s\u00a0\u3000\ufeff]*[=+\-@\t\r\n\u0000|%＝＋－＠｜％]/u;
const LINE = /^[\t\r\n\u0000]/;

/** One cell: always quoted, never a formula. Numbers of our own making need no guard. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return `"${value}"`;
  const guarded = FORMULA.test(value) || LINE.test(value) ? `'${value}` : value;
  return `"${guarded.replaceAll('"', '""')}"`;
}

/** One row with its line end, as RFC 4180 writes it. */
export function csvRow(values: readonly (string | number)[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
