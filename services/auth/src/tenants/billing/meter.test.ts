import { randomUUID } from 'node:crypto';
import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import { expect, test } from 'vitest';
import { METERED_ACTIONS, meter } from './meter.ts';

const TENANT = randomUUID();
const START = '2026-01-01T00:00:00.000Z';

let sequence = 0;
const event = (action: string, more: Partial<tenantLog.LoggedEvent> = {}): tenantLog.LoggedEvent => ({
  sequence: sequence++,
  id: randomUUID(),
  action,
  outcome: 'allowed',
  subjectType: 'thing',
  subjectId: randomUUID(),
  details: {},
  occurredAt: START,
  ...more,
});

test('metering a log again returns the same rows', () => {
  const log = METERED_ACTIONS.map((action) =>
    event(action, {
      subjectId: action.startsWith('tenant.') ? TENANT : randomUUID(),
      details: { startsAt: START, endedAt: '2026-01-01T01:00:00.000Z' },
    }),
  );
  const once = log.map((each) => meter(each, TENANT));
  expect(once).not.toContain(undefined);
  expect(log.map((each) => meter(each, TENANT))).toEqual(once);
});

test('refused, failed and unmetered actions are not billed', () => {
  for (const outcome of ['denied', 'failed'])
    expect(meter(event('user.created', { outcome }), TENANT)).toBeUndefined();
  for (const action of ['auth.login', 'toString', 'constructor'])
    expect(meter(event(action), TENANT)).toBeUndefined();
});

test('actions of the platform on another tenant are billed only to that tenant', () => {
  expect(meter(event('tenant.suspended'), TENANT)).toBeUndefined();
  expect(meter(event('tenant.suspended', { subjectId: TENANT }), TENANT)?.kind).toBe('tenant.suspended');
});

test('a grant is metered by its duration in seconds, once even if its end is confirmed repeatedly', () => {
  const details = { startsAt: START, endedAt: '2026-01-01T00:01:30.000Z' };
  expect(meter(event('grant.revoked', { details }), TENANT)).toMatchObject({
    kind: 'grant.time',
    quantity: 90,
    unit: 'seconds',
  });
  expect(meter(event('grant.revoked', { details: { ...details, repeated: true } }), TENANT)).toBeUndefined();
  expect(meter(event('grant.expired'), TENANT)).toBeUndefined();
});
