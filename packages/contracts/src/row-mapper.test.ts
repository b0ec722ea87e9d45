import { expect, expectTypeOf, test } from 'vitest';
import type * as vault from './generated/claviger/vault/v1/vault.ts';
import type * as workflow from './generated/claviger/workflow/v1/workflow.ts';
import { type RowOf, rowMapper } from './row-mapper.ts';

const time = new Date('2026-01-02T03:04:05.678Z');

const share: RowOf<vault.Share> = {
  entry_id: 'e1',
  user_id: 'u1',
  access: 'view',
  granted_by: 'u2',
  created_at: time,
};

test('each field gets its column; other columns are ignored', () => {
  const row = { ...share, tenant_id: 't1' };
  expect(rowMapper<vault.Share>('claviger.vault.v1.Share')(row)).toEqual({
    entryId: 'e1',
    userId: 'u1',
    access: 'view',
    grantedBy: 'u2',
    createdAt: '2026-01-02T03:04:05.678Z',
  });
});

test('NULL becomes the zero value, or absence if the contract distinguishes it', () => {
  const map = rowMapper<vault.Share>('claviger.vault.v1.Share');
  expect(map({ ...share, granted_by: null, created_at: null })).toMatchObject({
    grantedBy: '',
    createdAt: undefined,
  });
  const grant = rowMapper<workflow.Grant>('claviger.workflow.v1.Grant');
  const empty = grant({} as RowOf<workflow.Grant>);
  expect(empty).toMatchObject({ oneTime: false, endedAt: undefined, resourceId: '' });
  expect(Object.keys(empty)).toHaveLength(20);
});

test('a row without a column of the message does not compile', () => {
  expectTypeOf<Omit<RowOf<vault.Share>, 'access'>>().not.toExtend<RowOf<vault.Share>>();
  expectTypeOf<typeof share>().toExtend<RowOf<vault.Share>>();
});

test('an unknown message is refused', () => {
  expect(() => rowMapper('claviger.vault.v1.Nothing')).toThrow(/claviger.vault.v1.Nothing/);
});
