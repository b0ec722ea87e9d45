import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FieldInfo, MessageInfo } from './method-info.ts';
import { methods } from './methods.ts';
import { NO_OBJECT, normalizeIds } from './normalize-ids.ts';

const named = (request: string): MessageInfo =>
  [...methods.values()].map((method) => method.request).find(({ name }) => name.endsWith(`.${request}`))!;

test('ids are lower-cased, also in lists; other fields stay unchanged', () => {
  const id = randomUUID();
  const entry = { entryId: id.toUpperCase(), reason: id.toUpperCase() };
  expect(normalizeIds(named('RetrieveEntryRequest'), entry)).toBeUndefined();
  expect(entry).toEqual({ entryId: id, reason: id.toUpperCase() });
  const filter = { ownerId: '', resourceId: undefined };
  expect(normalizeIds(named('ListEntriesRequest'), filter)).toBeUndefined();
  expect(filter).toEqual({ ownerId: '', resourceId: undefined });
});

test('a text that cannot be an id becomes one that no object has, and is put back for the record', () => {
  const id = randomUUID();
  const session = { userId: 'X', entryIds: [id.toUpperCase(), 'Y', ''], resourceIds: [] };
  const putBack = normalizeIds(named('RotateUserExposureRequest'), session);
  expect(session).toEqual({ userId: NO_OBJECT, entryIds: [id, NO_OBJECT, NO_OBJECT], resourceIds: [] });
  putBack!();
  expect(session).toEqual({ userId: 'X', entryIds: [id, 'Y', ''], resourceIds: [] });
});

test('pattern and allowed values say which other texts are ids', () => {
  const place = (feature: string, scope: string, scopeId: string) => {
    const request = { feature, scope, scopeId };
    normalizeIds(named('DeleteConfigurationPolicyRequest'), request);
    return request;
  };
  const site = randomUUID();
  expect(place('pam', 'site', site.toUpperCase())).toEqual({ feature: 'pam', scope: 'site', scopeId: site });
  expect(place('pam', 'partner', 'default')).toMatchObject({ scopeId: 'default' });
  expect(place('x', 'y', 'z')).toEqual({ feature: NO_OBJECT, scope: NO_OBJECT, scopeId: NO_OBJECT });
});

test('ids in nested, alternative and recursive messages are found', () => {
  const text = (property: string, more: Partial<FieldInfo> = {}) =>
    ({
      property,
      kind: 'string',
      map: false,
      rules: { format: 'id', allowed: [], pattern: '' },
      ...more,
    }) as FieldInfo;
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
