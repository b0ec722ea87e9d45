import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FieldInfo, MessageInfo } from './method-info.ts';
import { methods } from './methods.ts';
import { normalizeIds } from './normalize-ids.ts';

const named = (request: string): MessageInfo =>
  [...methods.values()].map((method) => method.request).find(({ name }) => name.endsWith(`.${request}`))!;

test('ids are lower-cased, also in lists; other texts and fields stay unchanged', () => {
  const id = randomUUID();
  const entry = { entryId: id.toUpperCase(), reason: id.toUpperCase() };
  normalizeIds(named('RetrieveEntryRequest'), entry);
  expect(entry).toEqual({ entryId: id, reason: id.toUpperCase() });
  const unknown = { entryId: 'NOT-AN-ID' };
  normalizeIds(named('RetrieveEntryRequest'), unknown);
  expect(unknown).toEqual({ entryId: 'NOT-AN-ID' });
  const session = { sessionId: id.toUpperCase(), entryIds: [id.toUpperCase(), 'X'], resourceIds: [] };
  normalizeIds(named('PlaceEmergencySessionRequest'), session);
  expect(session).toMatchObject({ sessionId: id, entryIds: [id, 'X'], resourceIds: [] });
});

test('ids in nested, alternative and recursive messages are found', () => {
  const text = (property: string, more: Partial<FieldInfo> = {}) =>
    ({ property, kind: 'string', map: false, rules: { format: 'id' }, ...more }) as FieldInfo;
  const node = { name: 'node', fields: [] as FieldInfo[] } as unknown as MessageInfo;
  (node.fields as FieldInfo[]).push(text('id'), text('other', { oneof: 'choice' }), {
    property: 'child',
    kind: 'message',
    map: false,
    message: node,
  } as FieldInfo);
  const id = randomUUID();
  const upper = id.toUpperCase();
  const tree = {
    id: upper,
    choice: { $case: 'other', value: upper },
    child: { id: upper, child: undefined },
  };
  normalizeIds(node, tree);
  expect(tree).toEqual({ id, choice: { $case: 'other', value: id }, child: { id, child: undefined } });
});
