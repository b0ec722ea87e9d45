import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Elevations, startElevations, TECHNICIAN } from '../../elevation-support.ts';
import { codeOf, type Tenant } from '../../test-support.ts';

let service: Elevations;
let tenant: Tenant;

beforeAll(async () => {
  service = await startElevations();
});
afterAll(() => service?.[Symbol.asyncDispose]());
beforeEach(() => {
  tenant = service.tenant();
  service.decider.verdict = 'pending';
  service.decider.authors.clear();
  service.devices.away = false;
  service.devices.whileResolving = async () => {};
  service.settings.elevation.actuatorEnabled = true;
});

const technician = () => tenant.user(TECHNICIAN);
const approve = (actor = technician(), id = '', more: object = {}) =>
  service.elevations.respondToElevation(actor, { id, decision: 'approve', ...more });
const actions = async (id: string) => (await service.events(id)).map((event) => event.action);
const statusOf = async (id: string) =>
  (await service.elevations.getElevationRequest(technician(), { id })).request!.status;

test('an approval is for fifteen minutes by default, and shows the approver', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const [first, second] = [await service.prompt(agent), await service.prompt(agent)];
  const ann = technician();
  expect(await approve(ann, first)).toEqual({ success: true, id: first, status: 'approved' });
  await approve(ann, second, { durationMinutes: 90, reason: 'CHG-1042' });
  const minutes = async (id: string) => {
    const { request } = await service.elevations.getElevationRequest(ann, { id });
    expect(request).toMatchObject({ approvedByName: ann.userName, decisionSource: 'human' });
    return Math.round((Date.parse(request!.expiresAt!) - Date.parse(request!.decidedAt!)) / 60_000);
  };
  expect(await minutes(first)).toBe(15);
  expect(await minutes(second)).toBe(90);
  expect(await actions(second)).toEqual(['elevation.requested', 'elevation.decided']);
});

test('a decision is final: a second answer is wrong_status, even after the end', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  await service.elevations.respondToElevation(technician(), { id, decision: 'deny', reason: 'unknown' });
  expect(await codeOf(approve(technician(), id))).toBe('wrong_status');
  const late = await service.prompt(agent);
  await service.lapse(late);
  expect(await statusOf(late)).toBe('expired');
  expect(await codeOf(approve(technician(), late))).toBe('wrong_status');
});

test('a decision after a concurrent one is race_lost', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  const faster = technician();
  let turn = 0;
  service.devices.whileResolving = async () => {
    if (turn++ === 0) await service.elevations.respondToElevation(faster, { id, decision: 'deny' });
  };
  expect(await codeOf(approve(technician(), id))).toBe('race_lost');
  expect(await statusOf(id)).toBe('denied');
});

test('a decision after the end, by the database clock, is race_lost', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const id = await service.prompt(agent);
  service.devices.whileResolving = async () => void (await service.lapse(id));
  expect(await codeOf(approve(technician(), id))).toBe('race_lost');
  expect(await statusOf(id)).toBe('expired');
});

test('nobody decides their own elevation: subject, possible subjects, requester, and creator of the token', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const [sarah, twin] = [technician(), technician()];
  service.devices.link('acme\\own', { userId: sarah.userId, possibleUserIds: [sarah.userId, twin.userId] });
  const id = await service.prompt(agent, { subjectUsername: 'acme\\own' });
  const robot = {
    ...technician(),
    kind: 'api-token' as const,
    responsibleId: sarah.userId,
    behind: [sarah.userId],
  };
  for (const actor of [sarah, twin, robot]) {
    expect(await codeOf(approve(actor, id))).toBe('own_request');
    expect(
      await codeOf(service.elevations.respondToElevation(actor, { id, decision: 'deny', reason: 'r' })),
    ).toBe('own_request');
  }
  const asked = await service.elevations.requestElevation(robot, { deviceId: agent.userId, reason: 'patch' });
  expect(await codeOf(approve(sarah, asked.request!.id))).toBe('own_request');
  expect(await codeOf(approve(technician(), asked.request!.id))).toBe('ok');
});

test('a subject who became known later does not decide either; without auth nobody decides', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const late = technician();
  service.devices.away = true;
  const id = await service.prompt(agent, { subjectUsername: 'acme\\late' });
  expect(await codeOf(approve(late, id))).toBe('unavailable');
  service.devices.away = false;
  service.devices.link('acme\\late', { userId: late.userId });
  expect(await codeOf(approve(late, id))).toBe('own_request');
  await approve(technician(), id);
  // From then on the subject can see the request.
  const { request } = await service.elevations.getElevationRequest(
    { ...late, permissions: new Set() },
    { id },
  );
  expect(request!.subjectUserId).toBe(late.userId);
});

test('nobody decides prompts of a device they use: enroller, subjects of its prompts, its current administrator', async () => {
  const [enroller, seen, helper, stranger] = [technician(), technician(), technician(), technician()];
  const agent = service.devices.add(tenant.tenantId, { enrolledBy: enroller.userId });
  const decide = (actor: ReturnType<typeof technician>, id: string, decision = 'deny') =>
    codeOf(service.elevations.respondToElevation(actor, { id, decision, reason: 'r' }));
  service.devices.link('acme\\seen', { userId: seen.userId });
  // The decider is not the subject of this prompt, but uses the device.
  const unowned = await service.prompt(agent, { subjectUsername: 'WS-04\\local' });
  await service.prompt(agent, { subjectUsername: 'acme\\seen' });
  const help = { deviceId: agent.userId, reason: 'patch' };
  const helps = (await service.elevations.requestElevation(helper, help)).request!.id;
  expect(await decide(helper, unowned)).toBe('ok');
  const next = await service.prompt(agent, { subjectUsername: 'WS-04\\local' });
  await approve(stranger, helps);
  const robot = {
    ...technician(),
    kind: 'api-token' as const,
    responsibleId: seen.userId,
    behind: [seen.userId],
  };
  for (const actor of [enroller, seen, helper, robot])
    for (const decision of ['approve', 'deny'])
      expect(await decide(actor, next, decision)).toBe('own_device');
  expect((await service.row(next)).status).toBe('pending');
  // The database refuses it independently of the service.
  await expect(
    service.scratch.query(
      `SET LOCAL search_path TO ${service.schema}; UPDATE elevation_requests SET status = 'approved', approved_by = '${seen.userId}',
       decided_at = now(), decision_source = 'human', expires_at = now() + interval '1 minute' WHERE id = '${next}'`,
    ),
  ).rejects.toThrow(/a device they use/);
  await service.elevations.revokeElevation(stranger, { id: helps, reason: 'done' });
  expect(await decide(helper, next, 'approve')).toBe('ok');
  // A person who was not identified on the device for 30 days no longer uses it.
  const later = await service.prompt(agent, { subjectUsername: 'WS-04\\local' });
  await service.scratch.query(
    `UPDATE ${service.schema}.device_users SET last_seen_at = now() - interval '31 days' WHERE user_id = $1`,
    [seen.userId],
  );
  expect(await decide(seen, later)).toBe('ok');
});

test('a rule does not approve a prompt on a device that its author uses', async () => {
  const author = technician();
  service.decider.verdict = 'auto_approved';
  service.decider.authors.add(author.userId);
  const agent = service.devices.add(tenant.tenantId);
  const other = { subjectUsername: 'acme\\other' };
  service.devices.link('acme\\other', { userId: randomUUID() });
  service.devices.link('acme\\author', { userId: author.userId });
  const statusAfter = async (fields: object) =>
    (await service.row(await service.prompt(agent, fields))).status;
  expect(await statusAfter(other)).toBe('auto_approved');
  expect(await statusAfter({ subjectUsername: 'acme\\author' })).toBe('pending');
  expect(await statusAfter(other)).toBe('pending');
  // A device with more users than the rules can receive has unknown users.
  await service.scratch.query(
    `INSERT INTO ${service.schema}.device_users SELECT '${tenant.tenantId}', '${agent.userId}', gen_random_uuid(), now()
     FROM generate_series(1, 60)`,
  );
  await service.prompt(agent, other);
  expect(service.decider.asked.at(-1)).toMatchObject({ deviceUserIds: null });
});

test('a technician restricted to sites sees and changes only requests of those sites', async () => {
  const [here, there] = [randomUUID(), randomUUID()];
  const ids = [];
  for (const siteId of [here, there, undefined])
    ids.push(await service.prompt(service.devices.add(tenant.tenantId, siteId ? { siteId } : {})));
  const [inside, outside, nowhere] = ids as [string, string, string];
  const kept = { ...technician(), siteIds: [here] };
  const { requests, pagination } = await service.elevations.listElevationRequests(kept);
  expect(requests.map((each) => each.id)).toEqual([inside]);
  expect(pagination).toEqual({ page: 1, limit: 50, total: 1 });
  expect(await codeOf(service.elevations.listElevationRequests(kept, { siteId: there }))).toBe('site_denied');
  for (const id of [outside, nowhere]) {
    expect(await codeOf(approve(kept, id))).toBe('site_denied');
    expect(await codeOf(service.elevations.getElevationRequest(kept, { id }))).toBe('not_found');
  }
  await approve(technician(), outside);
  expect(await codeOf(service.elevations.revokeElevation(kept, { id: outside, reason: 'r' }))).toBe(
    'site_denied',
  );
  expect(await codeOf(approve(kept, inside))).toBe('ok');
  expect((await service.elevations.listActiveElevations(kept)).active.map((each) => each.id)).toEqual([
    inside,
  ]);
  const none = { ...technician(), siteIds: [] };
  expect((await service.elevations.listElevationRequests(none)).requests).toEqual([]);
});

test('a request of another organisation is not found by any operation', async () => {
  const id = await service.prompt(service.devices.add(tenant.tenantId));
  const stranger = service.tenant().user(TECHNICIAN);
  expect(await codeOf(approve(stranger, id))).toBe('not_found');
  expect(await codeOf(service.elevations.revokeElevation(stranger, { id, reason: 'r' }))).toBe('not_found');
  expect(await codeOf(service.elevations.getElevationRequest(stranger, { id }))).toBe('not_found');
});

test('the filter by status agrees with the status shown, even before the sweep', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const ids = [await service.prompt(agent), await service.prompt(agent), await service.prompt(agent)];
  await approve(technician(), ids[1]!);
  await service.lapse(ids[0]!);
  await service.lapse(ids[1]!);
  const idsOf = async (status: string) =>
    (await service.elevations.listElevationRequests(technician(), { status })).requests.map(
      (each) => each.id,
    );
  expect((await idsOf('expired')).sort()).toEqual([ids[0]!, ids[1]!].sort());
  expect(await idsOf('approved')).toEqual([]);
  expect(await idsOf('pending')).toEqual([ids[2]]);
  expect((await service.elevations.listActiveElevations(technician())).active).toEqual([]);
  await service.sweep();
  expect((await idsOf('expired')).sort()).toEqual([ids[0]!, ids[1]!].sort());
  expect(await actions(ids[1]!)).toEqual(['elevation.requested', 'elevation.decided', 'elevation.expired']);
});

test('active elevations are sorted by their end, and include those being actuated', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const ids = [await service.prompt(agent), await service.prompt(agent), await service.prompt(agent)];
  const ann = technician();
  await approve(ann, ids[0]!, { durationMinutes: 60 });
  await approve(ann, ids[1]!, { durationMinutes: 10 });
  await service.elevations.actuateElevation(ann, { id: agent.userId, elevationRequestId: ids[1]! });
  const { active } = await service.elevations.listActiveElevations(ann);
  expect(active.map((each) => [each.id, each.status])).toEqual([
    [ids[1], 'actuating'],
    [ids[0], 'approved'],
  ]);
});

test('a request of a technician is decided by the rules for its own duration, and is never ignored', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const ann = technician();
  service.decider.verdict = 'auto_approved';
  service.decider.minutes = 60;
  const ask = (fields: object = {}) =>
    service.elevations.requestElevation(ann, { deviceId: agent.userId, reason: 'patch', ...fields });
  const { request } = await ask({ durationMinutes: 5 });
  expect(request).toMatchObject({
    status: 'auto_approved',
    flowType: 'tech_jit_admin',
    subjectUserId: ann.userId,
  });
  expect(Date.parse(request!.expiresAt!) - Date.parse(request!.decidedAt!)).toBeLessThan(6 * 60_000);
  service.decider.verdict = 'ignored';
  expect((await ask()).request!.status).toBe('pending');
  service.devices.decommission(agent.userId);
  expect(await codeOf(ask())).toBe('device_decommissioned');
});

test('a rule does not approve a prompt whose subject may be its author', async () => {
  const [author, other] = [technician(), technician()];
  service.decider.verdict = 'auto_approved';
  service.decider.authors.add(author.userId);
  const agent = service.devices.add(tenant.tenantId);
  const prompt = async (possibleUserIds: string[]) => {
    const subjectUsername = `acme\\${randomUUID()}`;
    service.devices.link(subjectUsername, { userId: other.userId, possibleUserIds });
    return (await service.row(await service.prompt(agent, { subjectUsername }))).status;
  };
  expect(await prompt([other.userId])).toBe('auto_approved');
  expect(await prompt([other.userId, author.userId])).toBe('pending');
});

test('a rule does not approve for its author, neither through a machine identity nor under another name', async () => {
  const [author, other] = [technician(), technician()];
  service.decider.verdict = 'auto_approved';
  service.decider.authors.add(author.userId);
  const robot = {
    ...technician(),
    kind: 'api-token' as const,
    responsibleId: author.userId,
    behind: [author.userId],
  };
  const ask = async (actor: typeof author, onBehalfOf = '') =>
    (
      await service.elevations.requestToolAction(actor, {
        toolName: 'shell',
        riskTier: 2,
        actionDigest: 'b'.repeat(64),
        reason: 'why',
        onBehalfOf,
      })
    ).request!.status;
  expect(await ask(author)).toBe('pending');
  expect(await ask(robot)).toBe('pending');
  expect(await ask(author, other.userId)).toBe('pending');
  expect(await ask(other, author.userId)).toBe('pending');
  expect(await ask(other)).toBe('auto_approved');
});

test('the deciding rule is hidden from users who may not read it, even from the requester', async () => {
  const [here, there] = [randomUUID(), randomUUID()];
  const agent = service.devices.add(tenant.tenantId, { siteId: here });
  const reader = technician();
  const asker = { ...technician(), permissions: new Set(['elevations.request', 'tool-actions.request']) };
  // Restricted to another site since: own requests of this site remain visible.
  const moved = { ...asker, permissions: reader.permissions, siteIds: [there] };
  const shown = (request: object | undefined) => JSON.stringify(request);
  for (const stage of ['rules', 'software_policy'] as const) {
    service.decider.verdict = 'auto_approved';
    service.decider.stage = stage;
    const { request } = await service.elevations.requestElevation(asker, {
      deviceId: agent.userId,
      reason: 'patch',
    });
    const id = request!.id;
    const blank = {
      status: 'auto_approved',
      pamRuleId: undefined,
      pamRuleName: undefined,
      matchedPolicyName: undefined,
      decisionSource: undefined,
      ruleSetVersion: '',
    };
    expect(request).toMatchObject(blank);
    for (const actor of [asker, moved])
      expect((await service.elevations.getElevationRequest(actor, { id })).request).toMatchObject(blank);
    const full = (await service.elevations.getElevationRequest(reader, { id })).request;
    expect(full).toMatchObject({
      ruleSetVersion: '7',
      decisionSource: expect.stringMatching(/pam_rule|software/),
    });
    expect(shown(full)).toContain('a rule');
  }
  const tool = { toolName: 'shell', riskTier: 2, actionDigest: 'c'.repeat(64), reason: 'why' };
  const action = (await service.elevations.requestToolAction(asker, tool)).request!;
  const claimed = (
    await service.elevations.claimToolAction(asker, { id: action.id, actionDigest: tool.actionDigest })
  ).request;
  for (const each of [action, claimed]) expect(shown(each)).not.toMatch(/a rule|r1|pam_rule|software|"7"/);
  service.decider.verdict = 'pending';
  service.decider.stage = 'rules';
});

test('the requester sees that a person decided', async () => {
  const agent = service.devices.add(tenant.tenantId);
  const asker = { ...technician(), permissions: new Set(['elevations.request']) };
  const { request } = await service.elevations.requestElevation(asker, {
    deviceId: agent.userId,
    reason: 'patch',
  });
  await approve(technician(), request!.id);
  const told = (await service.elevations.getElevationRequest(asker, { id: request!.id })).request;
  expect(told).toMatchObject({ decisionSource: 'human', ruleSetVersion: '' });
});
