import { randomUUID } from 'node:crypto';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startAssistant } from '../../../assistant-support.ts';
import { codeOf, startWorkflow, type Tenant, type Workflow } from '../../../test-support.ts';
import { durationAssessment, timeAssessment } from './in-words.ts';

const USER = ['assistant.use', 'requests.read', 'requests.create', 'grants.read', 'vault.entries.read'];
const DECIDER = [...USER, 'requests.decide', 'grants.read-all'];

let service: Workflow;
let assistant: ReturnType<typeof startAssistant>;
let tenant: Tenant;
let ann: Actor;
let bob: Actor;
let resource: { resourceId: string; entryIds: string[] };

beforeAll(async () => {
  service = await startWorkflow();
  assistant = startAssistant(service);
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  ann = tenant.user(USER);
  bob = tenant.user(DECIDER);
  resource = service.vault.addResource(tenant.tenantId, 'payroll');
});

async function ask(by: Actor, durationMinutes = 30): Promise<string> {
  const { request } = await service.handlers.createRequest(by, {
    resourceId: resource.resourceId,
    reason: `change ${randomUUID()}`,
    durationMinutes,
  });
  return request!.id;
}
const suggest = (actor: Actor, fields: object) => assistant.handlers.suggestForRequest(actor, fields);

test('figures come from similar requests: approvers, durations, denials, unused access', async () => {
  for (const minutes of [10, 20, 30])
    await service.handlers.approveRequest(bob, { requestId: await ask(ann, minutes) });
  await service.handlers.denyRequest(bob, { requestId: await ask(ann), comment: 'not on Fridays' });
  await service.sweep();
  const requestId = await ask(ann, 120);
  const answer = await suggest(bob, { requestId });
  expect(answer).toMatchObject({
    scope: 'tenant',
    windowDays: 90,
    similarRequests: 4,
    approvedRequests: 3,
    deniedRequests: 1,
    approvers: [{ userId: bob.userId, userName: bob.userName, approvals: 3, available: true }],
    duration: {
      askedMinutes: 120,
      medianMinutes: 20,
      p90Minutes: 30,
      requests: 3,
      assessment: 'longer-than-usual',
    },
    time: { requestsAtThisTime: 4, requests: 4, assessment: 'unknown' },
    denials: [{ deniedBy: bob.userName, comment: 'not on Fridays' }],
  });
  expect(answer.unusedGrants).toHaveLength(3);
  expect(answer.suggestions[0]).toContain(
    '120 minutes are more than nine of ten approved requests received (30)',
  );
  expect(answer.suggestions.join('\n')).toContain('"not on Fridays"');
  expect((await service.events(requestId)).at(-1)!.action).toBe('assistant.suggested');
});

test('a user who does not see all requests gets figures of their own requests only', async () => {
  const carl = tenant.user(USER);
  await service.handlers.approveRequest(bob, { requestId: await ask(carl) });
  expect(await suggest(ann, { requestId: await ask(ann) })).toMatchObject({
    scope: 'own',
    similarRequests: 0,
    approvers: [],
    unusedGrants: [],
  });
});

test('a request of another user, of another tenant and an unknown one are not found', async () => {
  const requestId = await ask(bob);
  const codes = await Promise.all([
    codeOf(suggest(ann, { requestId })),
    codeOf(suggest(service.tenant().user(DECIDER), { requestId })),
    codeOf(suggest(bob, { requestId: randomUUID() })),
    codeOf(suggest(bob, { entryId: randomUUID() })),
    codeOf(suggest(bob, { requestId: 'no id' })),
  ]);
  expect(codes).toEqual(Array(5).fill('not_found'));
  expect(await codeOf(suggest(tenant.user(['assistant.use']), { requestId }))).toBe('denied');
});

test('suggestions require a request, or an entry before a request exists', async () => {
  const [entryId] = resource.entryIds;
  assistant.entries.push({
    seenBy: ann.userId,
    id: entryId!,
    name: 'app',
    resourceName: 'payroll',
    secret: 'x',
  });
  expect(await suggest(ann, { entryId, durationMinutes: 60 })).toMatchObject({
    entryName: 'app',
    similarRequests: 0,
    duration: { askedMinutes: 60, assessment: 'unknown' },
    suggestions: ['There was no similar request in the last 90 days.'],
  });
  expect(await codeOf(suggest(bob, { entryId }))).toBe('not_found');
  expect(await codeOf(suggest(ann, {}))).toBe('invalid');
  expect(await codeOf(suggest(ann, { entryId, requestId: entryId }))).toBe('invalid');
});

test('too few requests give no usual time or duration', () => {
  expect(durationAssessment(60, 30, 2)).toBe('unknown');
  expect(durationAssessment(0, 30, 9)).toBe('unknown');
  expect(durationAssessment(31, 30, 3)).toBe('longer-than-usual');
  expect(durationAssessment(30, 30, 3)).toBe('usual');
  expect(timeAssessment(0, 19)).toBe('unknown');
  expect(timeAssessment(0, 20)).toBe('unusual');
  expect(timeAssessment(1, 20)).toBe('usual');
});
