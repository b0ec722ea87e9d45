import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CanonicalJsonError, canonicalJson } from './canonical-json.ts';

const numberFromBits = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE();

/** A second implementation, made independently: recursive, own escapes, own order. */
function slowCanonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return `${value}`;
  if (typeof value === 'number') return Object.is(value, -0) ? '0' : `${value}`;
  if (typeof value === 'string') return slowString(value);
  if (Array.isArray(value)) return `[${value.map(slowCanonicalJson).join(',')}]`;
  const members = Object.entries(value as object).sort(([a], [b]) => compareCodeUnits(a, b));
  return `{${members.map(([name, member]) => `${slowString(name)}:${slowCanonicalJson(member)}`).join(',')}}`;
}

function slowString(text: string): string {
  const short = new Map([
    [8, '\\b'],
    [9, '\\t'],
    [10, '\\n'],
    [12, '\\f'],
    [13, '\\r'],
    [34, '\\"'],
    [92, '\\\\'],
  ]);
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    out += short.get(unit) ?? (unit < 32 ? `\\u${unit.toString(16).padStart(4, '0')}` : text[i]);
  }
  return `${out}"`;
}

function compareCodeUnits(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++)
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.charCodeAt(i) - b.charCodeAt(i);
  return a.length - b.length;
}

describe('the vectors of RFC 8785', () => {
  // Appendix B: IEEE 754 bits and their text.
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('the number %s is %s', (bits, text) => {
    expect(canonicalJson(numberFromBits(bits))).toBe(text);
  });

  test.each(['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])('%s is refused', (bits) => {
    expect(() => canonicalJson(numberFromBits(bits))).toThrow(CanonicalJsonError);
  });

  test('the sample of 3.2.2 becomes the text of 3.2.3', () => {
    const sample = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(sample))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('members are in the order of 3.2.3: by UTF-16 code units', () => {
    const sample = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
      "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`;
    expect(Object.values(JSON.parse(canonicalJson(JSON.parse(sample))))).toHaveLength(7);
    const order = [...canonicalJson(JSON.parse(sample)).matchAll(/:"([^"]*)"/g)].map((match) => match[1]);
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });
});

describe('a value without a single JSON form is refused', () => {
  class Account {
    name = 'root';
  }
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const named = Object.assign([1], { extra: 2 });
  const holey: unknown[] = [1, 2, 3];
  delete holey[1];
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['an undefined member', { a: undefined }],
    ['NaN', [Number.NaN]],
    ['Infinity', { a: Number.POSITIVE_INFINITY }],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['a Date, which would silently become text', new Date(0)],
    ['a Map', new Map([['a', 1]])],
    ['a Buffer', Buffer.from('a')],
    ['a boxed string', Object('a')],
    ['an instance of a class', new Account()],
    ['a toJSON method', { toJSON: () => 'other' }],
    ['a member named __proto__', JSON.parse('{"__proto__":{"admin":true}}')],
    ['a prototype that was replaced', Object.create({ admin: true })],
    ['an accessor', Object.defineProperty({}, 'a', { get: () => 1, enumerable: true })],
    ['a hidden member', Object.defineProperty({}, 'a', { value: 1, enumerable: false })],
    ['a symbol as a name', { [Symbol('a')]: 1 }],
    ['an array with a hole', holey],
    ['an array with a named property', named],
    ['a cycle', cycle],
  ])('%s', (_name, value) => {
    expect(() => canonicalJson(value)).toThrow(CanonicalJsonError);
  });

  test('the error names the position, never the value', () => {
    expect(() => canonicalJson({ actor: { name: 'hunter2\ud800' } })).toThrow(/^\$\.actor\.name has a lone/);
  });

  test('an object without a prototype is a plain object', () => {
    expect(canonicalJson(Object.assign(Object.create(null), { b: 1, a: [] }))).toBe('{"a":[],"b":1}');
  });
});

test('a second implementation gives the same text for any JSON value', () => {
  const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 });
  fc.assert(
    fc.property(json, (value) => {
      const clean = JSON.parse(JSON.stringify(value));
      fc.pre(!JSON.stringify(clean).includes('__proto__') && JSON.stringify(clean).isWellFormed());
      let text: string;
      try {
        text = canonicalJson(clean);
      } catch (error) {
        // Only what the second implementation does not judge: lone surrogates.
        expect(error).toBeInstanceOf(CanonicalJsonError);
        expect(JSON.stringify(clean)).toMatch(/\\ud[89a-f]/);
        return;
      }
      expect(text).toBe(slowCanonicalJson(clean));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(clean)));
    }),
    { numRuns: 500 },
  );
});

test('the order of insertion does not matter', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.integer()), (members) => {
      fc.pre(!Object.hasOwn(members, '__proto__'));
      const reversed = Object.fromEntries(Object.entries(members).reverse());
      const plain = Object.fromEntries(Object.entries(members));
      expect(canonicalJson(reversed)).toBe(canonicalJson(plain));
    }),
  );
});
