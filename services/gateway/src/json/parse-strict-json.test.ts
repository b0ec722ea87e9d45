import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonError, parseStrictJson } from './parse-strict-json.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text));

function refusal(text: string | Uint8Array): JsonError {
  try {
    parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text);
  } catch (error) {
    if (error instanceof JsonError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const poisonous = (value: unknown): boolean =>
  JSON.stringify(value).includes('"__proto__"') || JSON.stringify(value).includes('"constructor"');

describe('parseStrictJson', () => {
  it('parses every text that JSON.parse parses, with any values and white space', () => {
    const objects = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 }), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(objects, fc.constantFrom(undefined, 1, '\t', ' \r\n'), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        fc.pre(!poisonous(value) && text.isWellFormed());
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses every text that JSON.parse refuses', () => {
    const almost = fc
      .tuple(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '\\', '0', 'e', ':', '\n'),
      )
      .map(([value, at, insert]) => {
        const text = JSON.stringify({ a: value, b: [1.5, 'x\\y', true] });
        const cut = at % text.length;
        return `${text.slice(0, cut)}${insert}${text.slice(cut + 1)}`;
      });
    fc.assert(
      fc.property(almost, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (!valid) expect(() => parse(text)).toThrow(JsonError);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps escapes, surrogate pairs and numbers unchanged', () => {
    expect(parse('{"a":"\\u00e9\\n\\ud83d\\ude00\\/","n":-1.5e2,"z":0}')).toEqual({
      a: 'é\n😀/',
      n: -150,
      z: 0,
    });
  });

  it.each(['"x"', '1', 'null', '[]', '', ' ', 'true'])('refuses %s at the root', (text) => {
    expect(refusal(text).message).toMatch(/must be a JSON object/);
  });

  it('names a duplicate key, even if one of the two is escaped', () => {
    expect(refusal('{"a":1,"b":{"c":1,"\\u0063":2}}')).toMatchObject({
      pointer: '/b/c',
      message: 'is given twice',
    });
  });

  it.each(['{"__proto__":{}}', '{"a":{"constructor":1}}', '{"a":[{"\\u005f_proto__":1}]}'])(
    'refuses a prototype key in %s',
    (text) => {
      expect(refusal(text).message).toBe('contains a forbidden key');
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );

  it('keeps keys that only resemble members of every object', () => {
    expect(Object.keys(parse('{"toString":1,"hasOwnProperty":2}'))).toEqual(['toString', 'hasOwnProperty']);
  });

  it('stops at 20 levels and 1,000 values', () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
    expect(() => parse(nested(20))).not.toThrow();
    expect(refusal(nested(21))).toMatchObject({
      message: expect.stringMatching(/20 levels/),
      code: 'json_limit',
    });
    const list = (items: number) => `{"a":[${Array(items).fill('0').join()}]}`;
    expect(() => parse(list(999))).not.toThrow();
    expect(refusal(list(1000))).toMatchObject({
      message: expect.stringMatching(/1000 values/),
      code: 'json_limit',
    });
  });

  it('refuses bytes that are not UTF-8, lone surrogates and infinite numbers', () => {
    expect(refusal(Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])).message).toMatch(/UTF-8/);
    expect(refusal('{"a":"\\ud800"}')).toMatchObject({ pointer: '/a' });
    expect(refusal('{"a":1e999}')).toMatchObject({ pointer: '/a' });
    expect(refusal('\ufeff{}').message).toMatch(/must be a JSON object/);
  });

  it('takes linear time for any input', () => {
    const texts: ((length: number) => string)[] = [
      (length) => `{"a":"${'\\\\'.repeat(length / 2)}"}`,
      (length) => `{"a":"${'\\'.repeat(length)}`,
      (length) => `{"a":"${'\\"'.repeat(length / 2)}"}`,
      (length) => `{"a":"${'\\u0041'.repeat(length / 6)}"}`,
      (length) => `{"a":"${'é\\n'.repeat(length / 4)}"}`,
      (length) => `{"${'\\t'.repeat(length / 2)}":1}`,
      (length) => `{"a":${' '.repeat(length)}1}`,
      (length) => `{"a":${'9'.repeat(length)}`,
      (length) => `{"a":0.${'0'.repeat(length)}e}`,
      (length) => `{"a":${'['.repeat(length)}`,
      (length) => `{${'"k":1,'.repeat(length / 6)}}`,
      (length) => `{"a":[${Array.from({ length: 900 }, () => `"${'\\\\'.repeat(length / 2_000)}"`).join()}]}`,
    ];
    const costMs = (bytes: Uint8Array): number => {
      const before = process.cpuUsage();
      try {
        parseStrictJson(bytes);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
      }
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    const least = (bytes: Uint8Array) => Math.min(...Array.from({ length: 3 }, () => costMs(bytes)));
    for (const [index, text] of texts.entries()) {
      const [short, long] = [200_000, 1_600_000].map((length) => least(Buffer.from(text(length))));
      // Eight times the length: a quadratic algorithm would take 64 times as long. Below 20 ms the clock is
      // too coarse.
      expect([index, long! < Math.max(short!, 20) * 24]).toEqual([index, true]);
    }
  });

  it('never repeats a value, nor a key that may be one', () => {
    for (const text of ['{"a": hunter2}', '{"hunter2 !":1,"hunter2 !":2}', '{"a":"hunter2', '{"hunter2']) {
      const error = refusal(text);
      expect(`${error.pointer} ${error.message}`).not.toContain('hunter2');
    }
  });
});
