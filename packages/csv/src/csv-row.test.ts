import { expect, test } from 'vitest';
import { csvCell, csvRow } from './csv-row.ts';

test.each([
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '\u0000=1',
  '|calc',
  '%0a',
  '＝1',
  '＋1',
  '－1',
  '＠1',
  '  =1',
  '"=1',
  '\' " =1',
  '\u00a0=1',
  '\ufeff=1',
  '\tplain',
])('a cell that a spreadsheet could take for a formula is text: %j', (value) => {
  expect(csvCell(value)).toBe(`"'${value.replaceAll('"', '""')}"`);
});

test('every cell is quoted, quotes are doubled, rows end in CRLF, our own numbers stay numbers', () => {
  expect(csvRow(['a"b', 'x,y\nz', -5, ''])).toBe('"a""b","x,y\nz","-5",""\r\n');
});
