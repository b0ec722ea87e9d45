import { randomUUID } from 'node:crypto';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Elevations, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { bind, codeOf, type Tenant } from '../../test-support.ts';
import { elevationRequestsService } from '../registry.ts';
import { moveElevation } from './move-elevation.ts';

let service: Elevations;
let tenant: Tenant;

beforeAll(async () => {
  service = await startElevations();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.decider.verdict = 'pending';
});

const DIGEST = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);

async function ask(fields: object = {}) {
  const tool = tenant.user(TECHNICIAN);
  const { request } = await service.elevations.requestToolAction(tool, {
    toolName: 'shell',
    riskTier: 3,
    actionDigest: DIGEST,
    reason: 'restart the spooler',
    ...fields,
  });
  const id = request!.id;
  const claim = (actionDigest = DIGEST, actor = tool) =>
    codeOf(service.elevations.claimToolAction(actor, { id, actionDigest }));
  const respond = (decision: string, more: object = {}, actor = tenant.user(TECHNICIAN)) =>
    codeOf(service.elevations.respondToElevation(actor, { id, decision, ...more }));
  return { id, tool, request: request!, claim, respond };
}

/** As superuser: moves the end of the tool's waiting time into the past. */
const stopWaiting = (id: string) =>
  service.scratch.query(
    `SET session_replication_role = replica;
     UPDATE ${service.schema}.elevation_requests SET execution_expires_at = now() - interval '1 second' WHERE id = '${id}'`,
  );

test('H-343 an approval is bound to its action and is claimed once', async () => {
  const { request, respond, claim, id, tool } = await ask({ actionDigest: DIGEST.toUpperCase() });
  expect(request).toMatchObject({ toolName: 'shell', riskTier: 3, actionDigest: DIGEST, status: 'pending' });
  expect(await respond('approve', { actionDigest: OTHER })).toBe('digest_mismatch');
  expect(await claim()).toBe('wrong_status');
  expect(await respond('approve', { actionDigest: DIGEST.toUpperCase() })).toBe('ok');
  expect(await claim(OTHER)).toBe('digest_mismatch');
  const another = service.elevations.claimToolAction(tool, { id, actionDigest: OTHER });
  await expect(another).rejects.toMatchObject({ reason: 'conflict' });
  expect(await claim()).toBe('ok');
  expect(await claim()).toBe('race_lost');
  expect((await service.events(id)).map((event) => event.action)).toEqual([
    'elevation.requested',
    'elevation.decided',
    'elevation.claimed',
  ]);
});

test('one of twenty concurrent claims succeeds', async () => {
  const { respond, claim } = await ask();
  await respond('approve');
  const codes = await Promise.all(Array.from({ length: 20 }, () => claim()));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(codes.filter((code) => code === 'race_lost')).toHaveLength(19);
});

test('a denied, revoked or expired action cannot be claimed', async () => {
  const denied = await ask();
  await denied.respond('deny');
  expect(await denied.claim()).toBe('wrong_status');
  const revoked = await ask();
  await revoked.respond('approve');
  await service.elevations.revokeElevation(tenant.user(TECHNICIAN), { id: revoked.id, reason: 'no' });
  expect(await revoked.claim()).toBe('wrong_status');
  expect(await service.commands(revoked.id)).toEqual([]);
  const expired = await ask();
  await expired.respond('approve');
  await service.lapse(expired.id);
  expect(await expired.claim()).toBe('wrong_status');
});

test('H-343 after the tool has stopped waiting, approval and claim are refused', async () => {
  const waiting = await ask({ executionTimeoutSeconds: 60 });
  await stopWaiting(waiting.id);
  expect(await waiting.respond('approve')).toBe('execution_timed_out');
  const approved = await ask();
  await approved.respond('approve');
  await stopWaiting(approved.id);
  expect(await approved.claim()).toBe('execution_timed_out');
  const late = service.elevations.claimToolAction(approved.tool, { id: approved.id, actionDigest: DIGEST });
  await expect(late).rejects.toMatchObject({ reason: 'conflict' });
});

test('H-343 the statement of a decision or claim checks that the tool still waits', async () => {
  const { id } = await ask();
  const slowly = elevationRequestsService({
    ...service.deps,
    notifier: service.notifier,
    settings: {
      read: async (tenantId: string) => {
        await stopWaiting(id);
        return service.deps.settings.read(tenantId);
      },
    },
  });
  const { respondToElevation } = bind(elevation.ElevationRequestsService, slowly);
  expect(await codeOf(respondToElevation(tenant.user(TECHNICIAN), { id, decision: 'approve' }))).toBe(
    'race_lost',
  );
  expect((await service.row(id)).status).toBe('pending');
  const approved = await ask();
  await approved.respond('approve');
  await stopWaiting(approved.id);
  const claimed = service.deps.database.withTenant(tenant.tenantId, (tx) =>
    moveElevation(tx, approved.id, 'claim'),
  );
  expect(await claimed).toBeUndefined();
  // A revocation is always possible.
  await service.elevations.revokeElevation(tenant.user(TECHNICIAN), { id: approved.id, reason: 'too late' });
});

test('only the requester can claim; the requester and the user behind the action cannot decide', async () => {
  const person = tenant.user(TECHNICIAN);
  const { tool, request, respond, claim } = await ask({ onBehalfOf: person.userId });
  expect(request.subjectUserId).toBe(person.userId);
  expect(await respond('approve', {}, person)).toBe('own_request');
  expect(await respond('approve', {}, tool)).toBe('own_request');
  expect(await respond('approve')).toBe('ok');
  expect(await claim(DIGEST, tenant.user(TECHNICIAN))).toBe('not_found');
  expect(await claim()).toBe('ok');
});

test('the user behind the action must be an active user of the tenant', async () => {
  const gone = tenant.user([]);
  tenant.setStatus(gone.userId, 'disabled');
  for (const onBehalfOf of [randomUUID(), 'nobody', gone.userId, service.tenant().user([]).userId])
    expect(await codeOf(ask({ onBehalfOf }))).toBe('invalid');
});

test('a tool action is never sent to a device', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const { id, respond } = await ask({ deviceId: agent.userId });
  await respond('approve');
  expect(
    await codeOf(
      service.elevations.actuateElevation(tenant.user(TECHNICIAN), {
        id: agent.userId,
        elevationRequestId: id,
      }),
    ),
  ).toBe('not_found');
});
