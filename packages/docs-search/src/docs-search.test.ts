import { expect, test } from 'vitest';
import { createDocsIndex, documentationFolder, readSections, sectionsOf, termsOf } from './index.ts';

const page = `# Keys

Where keys lie.

## Rotating the root key

Give the new key, then \`claviger keys rotate\`.

\`\`\`sh
# not a heading
claviger keys rotate
\`\`\`

## Sealing

A sealed service opens nothing.
`;

test('a page is taken apart by its headings, and code is left in one piece', () => {
  expect(sectionsOf('keys.md', page).map(({ title, heading }) => [title, heading])).toEqual([
    ['Keys', 'Keys'],
    ['Keys', 'Rotating the root key'],
    ['Keys', 'Sealing'],
  ]);
  expect(sectionsOf('keys.md', page)[1]!.text).toContain('# not a heading');
});

test.each([
  ['rotate', 'rotations'],
  ['rotated', 'rotating'],
  ['approve', 'approved'],
  ['key', 'keys'],
  ['policy', 'policies'],
  ['seal', 'sealed'],
])('%s and %s are the same word', (one, other) => {
  expect(termsOf(one)).toEqual(termsOf(other));
});

test('words that say nothing are left out', () => {
  expect(termsOf('How do I do this?')).toEqual([]);
});

test('the section whose heading speaks of it comes first', () => {
  const index = createDocsIndex(sectionsOf('keys.md', page));
  expect(index.search('how do I rotate a root key?', 3)[0]!.section.heading).toBe('Rotating the root key');
  expect(index.search('what is sealed', 1)[0]!.section.heading).toBe('Sealing');
  expect(index.search('bicycle', 3)).toEqual([]);
  expect(index.search('', 3)).toEqual([]);
});

test('coverage tells how much of the question a section speaks of', () => {
  const index = createDocsIndex(sectionsOf('keys.md', page));
  expect(index.search('sealing', 1)[0]!.coverage).toBe(1);
  expect(index.search('sealing bicycles on the moon', 1)[0]!.coverage).toBeLessThan(0.5);
});

test('a missing folder gives an empty index', () => {
  expect(createDocsIndex(readSections('/nonexistent/docs'))).toMatchObject({ documents: 0, sections: 0 });
});

test.each([
  ['why is my vault sealed?', 'keys.md'],
  ['what happens when Redis is down?', /architecture|operations|cluster/],
  ['where can I send the audit log to a SIEM?', 'siem.md'],
  ['how do I suspend a tenant?', 'tenants.md'],
])('Claviger’s own documentation answers: %s', (question, file) => {
  const index = createDocsIndex(readSections(documentationFolder()));
  expect(index.search(question, 3).map(({ section }) => section.file)).toContainEqual(
    expect.stringMatching(file),
  );
});

test.each([
  ['backup and restore', 'operations.md'],
  ['delete a tenant for ever', 'tenants.md'],
])('the page about it comes first: %s', (question, file) => {
  const [best] = createDocsIndex(readSections(documentationFolder())).search(question, 1);
  expect(best!.section.file).toBe(file);
});
