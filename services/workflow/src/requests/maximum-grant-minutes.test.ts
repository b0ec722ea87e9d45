import { afterAll, beforeAll, expect, test } from 'vitest';
import { APPROVER, codeOf, REQUESTER, startWorkflow } from '../../test-support.ts';

let service: Awaited<ReturnType<typeof startWorkflow>>;
beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service?.[Symbol.asyncDispose]());

test('a request or approval longer than the current maximum of the tenant is refused', async () => {
  const tenant = service.tenant();
  const [requester, approver] = [tenant.user(REQUESTER), tenant.user(APPROVER, ['approver'])];
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const ask = (durationMinutes: number) =>
    service.handlers.createRequest(requester, { resourceId, reason: 'why', durationMinutes });
  const { request } = await ask(60);
  service.settings.access = { ...service.settings.access, maximumGrantMinutes: 30 };
  expect(await codeOf(ask(31))).toBe('invalid');
  const requestId = request!.id;
  expect(await codeOf(service.handlers.approveRequest(approver, { requestId }))).toBe('invalid');
  const approved = await service.handlers.approveRequest(approver, { requestId, durationMinutes: 30 });
  expect(approved.request?.status).toBe('approved');
  expect(await codeOf(ask(30))).toBe('ok');
});
