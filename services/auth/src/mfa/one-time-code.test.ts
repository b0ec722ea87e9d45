import type { ClavigerError } from '@claviger/errors';
import { expect, test } from 'vitest';
import { oneTimeCode } from './one-time-code.ts';

const digitsOf = (script: string): string =>
  new Intl.NumberFormat(`en-u-nu-${script}`, { useGrouping: false, minimumIntegerDigits: 6 }).format(12_389);
const scripts = ['arab', 'arabext', 'beng', 'deva', 'fullwide', 'khmr', 'mathmono', 'mymr', 'thai', 'tibt'];

test.each([
  '012389',
  '012 389',
  '012-389',
  ' 01 23 89 ',
  '012389\n',
  '012389\r\n',
  '\t012\n389',
  '012\u00a0389',
  '012\u202f389',
  '012\u2009389',
  '012\u3000389',
  '012\u2011389',
  '012\u2013389',
  '012\u2212389',
  '012\u200b389',
  '\ufeff012389',
  '\u2066012389\u2069',
  ...scripts.map(digitsOf),
])('%j is the code 012389', (given) => {
  expect(oneTimeCode(given)).toEqual({ kind: 'otp', text: '012389' });
});

test.each([
  'abcd-efgh-ijkl-mn27',
  'ABCD-EFGH-IJKL-MN27',
  'abcdefghijklmn27',
  ' Abcd Efgh Ijkl Mn27\r\n',
  'abcd\u2013efgh\u00a0ijkl\u2011mn27',
  'ａｂｃｄ-ｅｆｇｈ-ijkl-mn27',
])('%j is one recovery code', (given) => {
  expect(oneTimeCode(given)).toEqual({ kind: 'recovery', text: 'abcd-efgh-ijkl-mn27' });
});

test.each([
  ' ',
  '12345',
  '0123456',
  '12345a',
  '123,456',
  '123.456',
  '+123456',
  '12345\u0000',
  '12345²³',
  '①②③④⑤⑥⑦',
  'abcd-efgh-ijkl-mn2',
  'abcd-efgh-ijkl-mn2a7',
  'abcd-efgh-ijkl-mn18',
  'no code',
])('%j cannot be a code', (given) => {
  expect(() => oneTimeCode(given)).toThrow(
    expect.objectContaining<Partial<ClavigerError>>({
      reason: 'invalid',
      code: 'mfa_code_malformed',
      fields: [expect.objectContaining({ pointer: '/code' })],
    }),
  );
});
