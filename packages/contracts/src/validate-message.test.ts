import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Field,
  type FieldInfo,
  type FieldKind,
  type MessageInfo,
  redact,
  validateMessage,
} from './index.ts';

const NO_RULES: Field = {
  public: false,
  required: false,
  minLength: 0,
  maxLength: 0,
  pattern: '',
  hasRange: false,
  minimum: 0,
  maximum: 0,
  allowed: [],
  format: '',
  example: '',
  nullable: false,
  rule: '',
};

function field(kind: FieldKind, rules: Partial<Field> = {}, more: Partial<FieldInfo> = {}): FieldInfo {
  return {
    jsonName: 'field',
    property: 'field',
    protoName: 'field',
    kind,
    int32: false,
    comment: '',
    repeated: false,
    map: false,
    optional: false,
    rules: { ...NO_RULES, ...rules },
    public: rules.public ?? false,
    ...more,
  };
}

function message(...fields: FieldInfo[]): MessageInfo {
  return {
    name: 'test',
    comment: '',
    fields,
    byJsonName: new Map(fields.map((each) => [each.jsonName, each])),
    oneOf: [],
    rule: '',
  };
}

const problems = (info: FieldInfo, value: unknown) =>
  validateMessage(message(info), { field: value }).map((each) => each.detail);
const fits = (info: FieldInfo, value: unknown) => problems(info, value).length === 0;

test('required means present and not empty, for every kind', () => {
  const required = { required: true };
  for (const value of ['', undefined, null])
    expect(problems(field('string', required), value)).toHaveLength(1);
  expect(fits(field('string', required), 'x')).toBe(true);
  expect(fits(field('integer', required), 0)).toBe(false);
  expect(fits(field('integer', required, { optional: true }), 0)).toBe(true);
  expect(fits(field('bytes', required), new Uint8Array())).toBe(false);
  expect(fits(field('timestamp', required), undefined)).toBe(false);
  expect(fits(field('string', required, { repeated: true }), [])).toBe(false);
  expect(fits(field('string', { required: true, format: 'line' }), '   ')).toBe(false);
});

test('lengths count code points of texts, bytes, and items of lists', () => {
  const four = { minLength: 2, maxLength: 4 };
  for (const [value, expected] of [
    ['a', false],
    ['ab', true],
    ['abcd', true],
    ['abcde', false],
    ['😀😀😀😀', true],
    ['😀', false],
    ['😀😀😀😀😀', false],
  ] as const)
    expect([value, fits(field('string', four), value)]).toEqual([value, expected]);
  expect(fits(field('bytes', four), new Uint8Array(5))).toBe(false);
  expect(fits(field('bytes', four), new Uint8Array(4))).toBe(true);
  expect(fits(field('string', four, { repeated: true }), ['a'])).toBe(false);
  expect(fits(field('string', four, { repeated: true }), ['a', 'b'])).toBe(true);
  expect(fits(field('string', four, { repeated: true }), Array(5).fill('a'))).toBe(false);
});

test('an absent optional field is valid, an empty one with a minimum length is not', () => {
  const optional = field('string', { minLength: 1 }, { optional: true });
  expect(fits(optional, undefined)).toBe(true);
  expect(fits(optional, '')).toBe(false);
});

test('numbers must be finite, in range, and whole if declared so', () => {
  const range = { hasRange: true, minimum: -1, maximum: 10 };
  for (const value of [-1, 0, 10]) expect(fits(field('integer', range), value)).toBe(true);
  for (const value of [-2, 11, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    expect(fits(field('integer', range), value)).toBe(false);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1.5])
    expect(fits(field('double', range), value)).toBe(false);
});

test('patterns match the whole text, allowed values exactly', () => {
  const pattern = field('string', { pattern: 'a|b+' });
  for (const value of ['a', 'bbb']) expect(fits(pattern, value)).toBe(true);
  for (const value of ['ab', 'xa', 'a\n', '\na', 'A']) expect(fits(pattern, value)).toBe(false);
  const allowed = field('string', { allowed: ['asc', 'desc'] });
  expect(fits(allowed, 'asc')).toBe(true);
  for (const value of ['ASC', 'asc ', 'toString', '__proto__']) expect(fits(allowed, value)).toBe(false);
});

test('pattern, format and allowed values apply to each item of a list', () => {
  const list = (rules: Partial<Field>) => field('string', rules, { repeated: true });
  expect(problems(list({ allowed: ['a'] }), ['a', 'b'])).toHaveLength(1);
  expect(validateMessage(message(list({ format: 'uuid' })), { field: ['x'] })[0]!.pointer).toBe('/field/0');
  expect(fits(list({}), ['a\u0000'])).toBe(false);
  expect(fits(list({}), ['\ud800'])).toBe(false);
  expect(fits(list({}), ['x'.repeat(257)])).toBe(false);
});

const UUID = '0b7c1d9e-3f44-4b8e-9d38-6f2f0f6f6c11';
const FORMATS: Record<string, { good: string[]; bad: string[] }> = {
  uuid: { good: [UUID, UUID.toUpperCase()], bad: [`${UUID} `, `{${UUID}}`, UUID.replaceAll('-', ''), 'x'] },
  identifier: { good: ['a', 'a.b-c_d', '0x'], bad: ['-a', 'A', 'a b', 'ä', 'a/b', '.', '../a'] },
  line: {
    good: ['Müller 😀', 'שלום', ' padded '],
    bad: ['a\nb', 'a\rb', 'a\tb', 'a\u2028b', '\u202egnp', 'a\u0085b', '\u2066a'],
  },
  text: { good: ['a\nb\r\n\tc'], bad: ['a\u0007', 'a\u001b[31m', '\u202ea', 'a\u000bb'] },
  'date-or-time': {
    good: ['2026-01-31', '2024-02-29', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123456789+02:00'],
    bad: [
      '2026-02-30',
      '2026-13-01',
      '2025-02-29',
      '2026-01-31T25:00:00Z',
      '2026-01-31T12:00:00',
      'today',
      '2026-1-1',
      '2026-01-31T12:00:00+99:99',
      '1',
    ],
  },
};

test.each(Object.entries(FORMATS))(
  'the format %s accepts and refuses the right texts',
  (format, { good, bad }) => {
    for (const value of good)
      expect([value, problems(field('string', { format }), value)]).toEqual([value, []]);
    for (const value of bad)
      expect([value, fits(field('string', { format }), value)]).toEqual([value, false]);
  },
);

test('a timestamp is a full time', () => {
  for (const value of ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.5Z'])
    expect(fits(field('timestamp'), value)).toBe(true);
  for (const value of ['1', 'tomorrow', '2026-01-31', '2026-02-30T00:00:00Z', ''])
    expect(fits(field('timestamp'), value)).toBe(false);
});

test('NUL and unpaired surrogates are refused in every text', () => {
  for (const value of ['a\u0000b', '\ud800', 'x\udc00y']) {
    expect(fits(field('string'), value)).toBe(false);
    expect(fits(field('string', {}, { rules: undefined }), value)).toBe(false);
  }
});

const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

test('no problem quotes the text and no check takes long', () => {
  const infos = [
    ...Object.keys(FORMATS).map((format) => field('string', { format })),
    field('string', { allowed: ['a'] }),
    field('string', { maxLength: 3 }),
  ];
  fc.assert(
    fc.property(fc.string({ unit: codeUnit, minLength: 12 }), fc.constantFrom(...infos), (value, info) => {
      for (const detail of problems(info, value)) expect(detail).not.toContain(value);
    }),
  );
  for (const info of infos)
    for (const unit of ['a', '0', '-', '2026-', '😀']) problems(info, unit.repeat(200_000));
});

test('exactly one alternative must be given, and a zero value does not count', () => {
  const all = message(
    field('string', {}, { jsonName: 'a', property: 'a', protoName: 'a' }),
    field('bool', {}, { jsonName: 'b', property: 'b', protoName: 'b' }),
    field('string', {}, { jsonName: 'c', property: 'c', protoName: 'c', repeated: true }),
  );
  const info: MessageInfo = { ...all, oneOf: [['a'], ['b', 'c']] };
  const pointers = (value: object) => validateMessage(info, value).map(({ pointer }) => pointer);
  for (const value of [{ a: 'x', b: false, c: [] }, { a: '', b: true }, { b: true, c: ['x'] }, { c: ['x'] }])
    expect(pointers(value)).toEqual([]);
  for (const value of [{}, { a: '', b: false, c: [] }, { a: 'x', b: true }, { a: 'x', c: ['x'] }])
    expect(pointers(value)).toEqual(['/a']);
});

test('an id is refused only for its length', () => {
  const id = field('string', { format: 'id', pattern: '[0-9]+', allowed: ['x'] });
  expect(fits(id, 'anything')).toBe(true);
  expect(fits(id, 'a'.repeat(64))).toBe(true);
  expect(fits(id, 'a'.repeat(65))).toBe(false);
});

test('the range of a list of numbers applies to each of them', () => {
  const days = field('integer', { hasRange: true, minimum: 0, maximum: 6 }, { repeated: true });
  expect(fits(days, [0, 6])).toBe(true);
  expect(validateMessage(message(days), { field: [0, 7] }).map(({ pointer }) => pointer)).toEqual([
    '/field/1',
  ]);
});

test('problems contain the path into nested messages and lists', () => {
  const inner = message(field('string', { required: true }, { jsonName: 'name', property: 'name' }));
  const outer = message(
    field('message', {}, { jsonName: 'one', property: 'one', message: inner }),
    field('message', {}, { jsonName: 'many', property: 'many', message: inner, repeated: true }),
  );
  const found = validateMessage(outer, { one: { name: '' }, many: [{ name: 'x' }, { name: '' }] });
  expect(found.map((each) => each.pointer)).toEqual(['/one/name', '/many/1/name']);
});

test('a member of a oneof is checked if it is chosen', () => {
  const member = field('string', { required: false, maxLength: 2 }, { oneof: 'choice' });
  expect(validateMessage(message(member), { choice: { $case: 'field', value: 'xyz' } })).toHaveLength(1);
  expect(validateMessage(message(member), { choice: { $case: 'other', value: 'xyz' } })).toEqual([]);
  expect(validateMessage(message(member), { choice: undefined })).toEqual([]);
});

test('redaction keeps only fields that are declared public', () => {
  const open = { public: true };
  const inner = message(
    field('string', open, { jsonName: 'shown', property: 'shown' }),
    field('string', {}, { jsonName: 'hidden', property: 'hidden' }),
  );
  const info = message(
    field('string', open, { jsonName: 'name', property: 'name' }),
    field('string', {}, { jsonName: 'password', property: 'password', rules: undefined }),
    field('message', open, { jsonName: 'one', property: 'one', message: inner }),
    field('message', open, { jsonName: 'many', property: 'many', message: inner, repeated: true }),
    field('message', {}, { jsonName: 'closed', property: 'closed', message: inner }),
    field('struct', open, { jsonName: 'config', property: 'config' }),
    field('bytes', open, { jsonName: 'raw', property: 'raw' }),
    field('message', open, { jsonName: 'labels', property: 'labels', map: true, message: inner }),
  );
  const secret = { shown: 'yes', hidden: 'canary' };
  const shown = redact(info, {
    name: 'n',
    password: 'canary',
    one: secret,
    many: [secret],
    closed: secret,
    config: { password: 'canary' },
    raw: Buffer.from('canary'),
    labels: { canary: 'canary' },
    undeclared: 'canary',
  });
  expect(shown).toEqual({ name: 'n', one: { shown: 'yes' }, many: [{ shown: 'yes' }] });
});
