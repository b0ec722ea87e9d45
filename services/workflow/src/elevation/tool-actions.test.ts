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

/** As superuser: the tool has stopped waiting. */
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

test('of twenty claims at once one succeeds', async () => {
  const { respond, claim } = await ask();
  await respond('approve');
  const codes = await Promise.all(Array.from({ length: 20 }, () => claim()));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(codes.filter((code) => code === 'race_lost')).toHaveLength(19);
});

test('what was denied, revoked or has expired is not claimed', async () => {
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

test('H-343 when the tool has stopped waiting, nobody approves any more and nothing is claimed', async () => {
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

test('H-343 that the tool stops waiting while somebody decides or claims is noticed in the same statement', async () => {
  const { id } = await ask();
  const slowly = elevationRequestsService({
    ...service.deps,
    bell: service.bell,
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
  // Taken back it can be at any time.
  await service.elevations.revokeElevation(tenant.user(TECHNICIAN), { id: approved.id, reason: 'too late' });
});

test('only who asked claims; the user for whom it is asked and the caller do not respond', async () => {
  const person = tenant.user(TECHNICIAN);
  const { tool, request, respond, claim } = await ask({ onBehalfOf: person.userId });
  expect(request.subjectUserId).toBe(person.userId);
  expect(await respond('approve', {}, person)).toBe('own_request');
  expect(await respond('approve', {}, tool)).toBe('own_request');
  expect(await respond('approve')).toBe('ok');
  expect(await claim(DIGEST, tenant.user(TECHNICIAN))).toBe('not_found');
  expect(await claim()).toBe('ok');
});

test('whoever it is asked for must be an active user here', async () => {
  const gone = tenant.user([]);
  tenant.setStatus(gone.userId, 'disabled');
  for (const onBehalfOf of [randomUUID(), 'nobody', gone.userId, service.tenant().user([]).userId])
    expect(await codeOf(ask({ onBehalfOf }))).toBe('invalid');
});

test('a tool action is never carried out by a device', async () => {
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
