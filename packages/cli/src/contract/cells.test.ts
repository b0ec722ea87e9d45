import { escapeJson, escapeLines, escapeText } from '@claviger/terminal/escape';
import { expect, test } from 'vitest';
import { fieldsText, tableText } from './cells.ts';

const hostile = 'db\u001b[2J\u0007\r\nadmin\u009b1m\u202egnp.exe\u2066\u200b';

test('nothing that the server sends is obeyed by a terminal', () => {
  const text = tableText(['NAME  name'], [{ name: hostile }]);
  expect(text.split('\n')).toHaveLength(2);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e\u2066]/u);
  expect(text).toContain('db\\u001b[2J\\u0007\\u000d\\u000aadmin\\u009b1m\\u202egnp.exe');
});

test('a field cannot forge another field', () => {
  const text = fieldsText(['status  status', 'reason  reason'], {
    status: 'pending\napproved  yes',
    reason: '',
  });
  expect(text).toBe('status  pending\\u000aapproved  yes');
});

test('columns are as wide as their widest cell, and hold zeros', () => {
  const rows = [
    { name: 'a', seen: 0 },
    { name: 'long-name', seen: 12 },
  ];
  expect(tableText(['NAME  name', ['SEEN', (row: { seen: number }) => row.seen]], rows)).toBe(
    'NAME       SEEN\na          0\nlong-name  12',
  );
});

test('escaped JSON means the same', () => {
  const json = JSON.stringify({ name: hostile });
  expect(JSON.parse(escapeJson(json))).toEqual({ name: hostile });
  expect(escapeJson(json)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/u);
});

test('lines and tabs survive where several lines are meant', () => {
  expect(escapeLines('a\tb\nc\u001b')).toBe('a\tb\nc\\u001b');
  expect(escapeText('a\tb\nc')).toBe('a\\u0009b\\u000ac');
});
