import { methodOf } from '@claviger/contracts';
import * as audit from '@claviger/contracts/audit/v1/audit';
import * as auth from '@claviger/contracts/auth/v1/auth';
import * as vault from '@claviger/contracts/vault/v1/vault';
import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { expect, test } from 'vitest';
import { answerOf, wireRequest } from './message-json.ts';

const of = (operation: { readonly path: string }) => methodOf(operation.path);
const id = '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11';

test('path parameters go into the path, the rest of a POST into the body', () => {
  const info = of(workflow.RequestsService.approveRequest);
  expect(wireRequest(info, { requestId: id, durationMinutes: 15, comment: 'ok' })).toEqual({
    method: 'POST',
    path: `/api/v1/requests/${id}/approve`,
    body: { comment: 'ok', durationMinutes: 15 },
  });
});

test('filters go into the query, escaped; empty filters are omitted', () => {
  const info = of(vault.EntriesService.listEntries);
  const { path, body } = wireRequest(info, { search: 'a&b=c d', tag: '', pageSize: 5 });
  expect(path).toBe('/api/v1/vault/entries?pageSize=5&search=a%26b%3Dc+d');
  expect(body).toBeUndefined();
});

test('an id cannot leave its segment of the path', () => {
  const info = of(workflow.GrantsService.getGrant);
  expect(wireRequest(info, { grantId: '../users?x=1#' }).path).toBe('/api/v1/grants/..%2Fusers%3Fx%3D1%23');
  for (const grantId of ['', '.', '..', undefined]) {
    expect(() => wireRequest(info, { grantId })).toThrow(expect.objectContaining({ exitCode: 2 }));
  }
});

test('the OAuth names in the answer of a sign-in become the names of its message', () => {
  const answer = answerOf(of(auth.AuthService.login), {
    access_token: 'a',
    refresh_token: 'r',
    expires_in: 900,
  });
  expect(answer).toMatchObject({
    accessToken: 'a',
    refreshToken: 'r',
    expiresIn: 900,
    mfaRequired: false,
    user: undefined,
  });
});

test('an answer whose body is one field of its message becomes that field, with zero values', () => {
  const answer = answerOf(of(vault.EntriesService.getEntry), {
    id,
    name: 'x',
  }) as vault.GetEntryResponse;
  expect(answer.entry).toMatchObject({ id, name: 'x', tags: [], currentVersion: 0, requiresGrant: false });
});

test('64-bit integers are read from numbers and from texts; unknown fields are omitted', () => {
  const info = of(audit.AuditService.getTreeHead);
  for (const size of [42, '42']) {
    const { treeHead } = answerOf(info, { size, surprise: true }) as audit.GetTreeHeadResponse;
    expect(treeHead!.size).toBe(42);
    expect(treeHead).not.toHaveProperty('surprise');
  }
});
