import { randomUUID } from 'node:crypto';
import * as contract from '@claviger/contracts/workflow/v1/rules';
import type { AccessFacts, ElevationFacts, Facts, ToolFacts } from '@claviger/evaluator';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bind, codeOf, decideNow, startWorkflow, type Tenant, type Workflow } from '../../test-support.ts';
import type { Devices } from '../peers.ts';
import { pamRulesService, softwarePolicyService } from '../registry.ts';
import { recordEvaluation } from './record-evaluation.ts';

let service: Workflow;
/** The permissions of users, as auth returns them. */
const permitted = new Map<string, Awaited<ReturnType<Devices['listPermittedUsers']>>['users']>();
const connect = () => {
  const listPermittedUsers: Devices['listPermittedUsers'] = async ({ permission }, options) => ({
    users: permitted.get(`${options!.tenantId} ${permission}`) ?? [],
    truncated: false,
  });
  const deps = { ...service.deps, devices: { ...service.deps.devices, listPermittedUsers } };
  return {
    ...bind(contract.PamRulesService, pamRulesService(deps)),
    ...bind(contract.SoftwarePolicyService, softwarePolicyService(deps)),
  };
};
let call: ReturnType<typeof connect>;
beforeAll(async () => {
  service = await startWorkflow();
  call = connect();
  // Inserts requests of every status directly; other tests cover the transitions.
  for (const table of ['elevation_requests', 'decisions'])
    await service.scratch.query(`ALTER TABLE ${service.schema}.${table} DISABLE TRIGGER USER`);
});
afterAll(() => service[Symbol.asyncDispose]());

const admin = (tenant: Tenant, more: Partial<Actor> = {}): Actor => ({ ...tenant.user(['*']), ...more });

/** The rows of a test are minutes apart, so that their order is certain. */
let minutesAgo = 1_200;
const PRESENT = new Date().toISOString();

interface PastFields {
  readonly status?: string;
  readonly expired?: boolean;
  readonly daysAgo?: number;
}

/** A past request with its evaluation by the current rules. */
async function past(tenantId: string, facts: Facts, fields: PastFields = {}): Promise<string> {
  const { status = 'pending', expired = false, daysAgo = 0 } = fields;
  minutesAgo -= 1;
  const at = `timestamptz '${PRESENT}' - interval '${daysAgo} days ${minutesAgo} minutes'`;
  const { schema, deps, scratch } = service;
  const decided = await decideNow(deps.decider, tenantId, facts);
  const requestId = randomUUID();
  await deps.database.withTenant(tenantId, (tx) =>
    recordEvaluation(tx, { tenantId, requestId, label: `request ${requestId}`, decided }),
  );
  await scratch.query(
    `UPDATE ${schema}.evaluations SET decided_at = ${at} WHERE request_id = '${requestId}'`,
  );
  if (facts.kind === 'access') return requestId;
  const isTool = facts.kind === 'tool';
  const isOver = status === 'denied' || status === 'expired' || status === 'revoked';
  await scratch.query(
    `INSERT INTO ${schema}.elevation_requests (tenant_id, id, flow_type, status, device_id, site_id, subject_user_id, reason,
       requested_at, decided_at, decision_source, expires_at, ended_at, rule_set_version, requester_id, tool_name, risk_tier,
       action_digest, execution_expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'because', ${at}, ${status === 'pending' ? 'NULL, NULL' : `${at}, 'human'`},
       ${isOver ? 'NULL' : `now() + interval '${expired ? -1 : 60} minutes'`}, ${isOver ? at : 'NULL'}, '0', $8, $9, $10, $11,
       ${isTool ? "now() + interval '1 hour'" : 'NULL'})`,
    [
      tenantId,
      requestId,
      isTool ? 'ai_tool_action' : facts.flowType,
      status,
      isTool ? null : randomUUID(),
      facts.siteId ?? null,
      facts.subjectUserId ?? null,
      isTool ? randomUUID() : null,
      isTool ? facts.toolName : null,
      isTool ? facts.riskTier : null,
      isTool ? facts.actionDigest : null,
    ],
  );
  return requestId;
}

const prompt = (fields: Partial<ElevationFacts> = {}): ElevationFacts => ({
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T10:00:00Z',
  siteId: null,
  subjectUserId: '00000000-0000-4000-8000-00000000000a',
  username: 'acme\\sarah',
  groups: ['Helpdesk'],
  path: 'C:\\Tools\\a.exe',
  hash: 'a'.repeat(64),
  signer: 'Vendor',
  parentImage: 'C:\\Windows\\explorer.exe',
  ...fields,
});
const tool = (fields: Partial<ToolFacts> = {}): ToolFacts => ({
  kind: 'tool',
  at: '2026-11-20T10:00:00Z',
  siteId: null,
  subjectUserId: randomUUID(),
  toolName: 'shell',
  riskTier: 3,
  actionDigest: 'b'.repeat(64),
  ...fields,
});
const access = (fields: Partial<AccessFacts> = {}): AccessFacts => ({
  kind: 'access',
  at: '2026-11-20T10:00:00Z',
  subjectUserId: randomUUID(),
  resourceId: null,
  durationMinutes: 60,
  reason: 'why',
  ...fields,
});

describe('the preview', () => {
  test('counts the requests that a draft alone would have matched, by their current status', async () => {
    const tenant = service.tenant();
    const { tenantId } = tenant;
    const first = await past(tenantId, prompt(), { status: 'pending' });
    await past(tenantId, prompt(), { status: 'approved' });
    await past(tenantId, prompt(), { status: 'approved', expired: true });
    await past(tenantId, prompt(), { status: 'denied' });
    const last = await past(tenantId, prompt(), { status: 'pending', expired: true });
    await past(tenantId, prompt({ signer: 'Other' }));
    await past(tenantId, tool());
    await past(tenantId, access());
    await past(tenantId, prompt(), { daysAgo: 20 });
    const seen = await call.previewRule(admin(tenant), { matchSigner: 'Vendor', windowDays: 10 });
    expect(seen).toMatchObject({
      success: true,
      totalMatched: 5,
      totalScanned: 7,
      windowDays: 10,
      truncated: false,
      statusBreakdown: {
        pending: 1,
        approved: 1,
        expired: 2,
        denied: 1,
        autoApproved: 0,
        revoked: 0,
        actuating: 0,
      },
    });
    expect(seen.sample[0]).toMatchObject({ id: last, flowType: 'uac_intercept', status: 'expired' });
    expect(seen.sample.at(-1)).toMatchObject({ id: first, status: 'pending' });
    expect(await call.previewRule(admin(tenant), { matchSigner: 'Vendor' })).toMatchObject({
      totalMatched: 6,
      totalScanned: 8,
      windowDays: 30,
    });
  });

  test('can be limited to one flow, and names the newest twenty', async () => {
    const tenant = service.tenant();
    const ids = await Promise.all(Array.from({ length: 22 }, () => past(tenant.tenantId, tool())));
    await past(tenant.tenantId, prompt());
    const seen = await call.previewRule(admin(tenant), {
      matchToolName: 'shell',
      flowType: 'ai_tool_action',
    });
    expect(seen).toMatchObject({ totalMatched: 22, totalScanned: 22 });
    expect(seen.sample.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 20));
  });

  test('of a draft with a group matches nothing, and returns the number of requests', async () => {
    const tenant = service.tenant();
    await past(tenant.tenantId, prompt());
    expect(await call.previewRule(admin(tenant), { matchAdGroup: 'Helpdesk' })).toMatchObject({
      totalMatched: 0,
      totalScanned: 1,
      sample: [],
    });
  });

  test('H-205 shows an actor restricted to sites only requests of those sites, and none of another tenant', async () => {
    const tenant = service.tenant();
    const [own, other] = [randomUUID(), randomUUID()];
    const mine = await past(tenant.tenantId, prompt({ siteId: own }));
    await past(tenant.tenantId, prompt({ siteId: other }));
    await past(tenant.tenantId, prompt());
    const technician = admin(tenant, { siteIds: [own] });
    const seen = await call.previewRule(technician, { matchSigner: 'Vendor' });
    expect(seen).toMatchObject({ totalMatched: 1, totalScanned: 1, sample: [{ id: mine }] });
    const stranger = admin(service.tenant());
    expect((await call.previewRule(stranger, { matchSigner: 'Vendor' })).totalScanned).toBe(0);
  });

  test.each([
    {},
    { matchSigner: 'a', matchToolName: 'b' },
    { matchHash: 'x' },
    { matchSigner: 'a', windowDays: 0 },
    { matchSigner: 'a', windowDays: 91 },
  ])('H-205 refuses an invalid draft: %j', async (draft) => {
    expect(await codeOf(call.previewRule(admin(service.tenant()), draft))).toBe('invalid');
  });
});

const draft = (fields: Partial<contract.RuleDraft> = {}): contract.RuleDraft => ({
  id: '',
  name: 'a draft',
  verdict: 'auto_deny',
  coSignerIds: [],
  timeWindow: undefined,
  ...fields,
});

describe('the replay', () => {
  test('names the changed decisions, with shadowing, groups and the time of the decision', async () => {
    const tenant = service.tenant();
    const who = admin(tenant);
    const { rule } = await call.createRule(who, {
      name: 'signed',
      verdict: 'auto_approve',
      matchSigner: 'Vendor',
    });
    const approved = await past(tenant.tenantId, prompt());
    await past(tenant.tenantId, prompt({ groups: ['Others'] }));
    await past(tenant.tenantId, prompt({ at: '2026-11-20T23:00:00Z' }));
    await past(tenant.tenantId, prompt({ signer: 'Other' }));
    const answer = await call.replayRules(who, {
      rules: [
        draft({
          priority: 1,
          matchAdGroup: 'helpdesk',
          timeWindow: { start: '08:00', end: '18:00', days: [], timezone: 'UTC' },
        }),
        // Shadowed by the current rule, which matches all of it.
        draft({ priority: 200, verdict: 'ignore', matchSigner: 'Vendor', name: 'shadowed' }),
      ],
    });
    expect(answer).toMatchObject({
      success: true,
      ruleSetVersion: '1',
      total: 4,
      changed: 2,
      unchanged: 2,
      otherRule: 0,
      truncated: false,
    });
    const toDenied = answer.changes.find(({ from }) => from === 'auto_approved')!;
    expect(toDenied).toMatchObject({
      to: 'denied',
      count: 1,
      samples: [
        {
          id: approved,
          kind: 'elevation',
          oldRuleId: rule!.id,
          newRuleName: 'a draft',
          label: `request ${approved}`,
        },
      ],
    });
    expect(answer.changes.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
      'auto_approved denied',
      'pending denied',
    ]);
    // A replay changes no rule.
    expect((await call.listRules(who)).rules).toHaveLength(1);
  });

  test('of the current rules finds no change, for any actor and form of the drafts', async () => {
    const tenant = service.tenant();
    const { rule } = await call.createRule(admin(tenant), {
      name: 'signed',
      verdict: 'auto_approve',
      matchSigner: 'Vendor',
    });
    await past(tenant.tenantId, prompt());
    await past(tenant.tenantId, access());
    const same = draft({
      id: rule!.id,
      name: 'signed',
      verdict: 'auto_approve',
      matchSigner: 'Vendor',
      priority: 100,
    });
    const other = admin(tenant);
    for (const request of [{}, { rules: [same] }, { rules: [same], wholeSet: true }])
      expect(await call.replayRules(other, request)).toMatchObject({ total: 2, changed: 0, otherRule: 0 });
    expect(await call.replayRules(other, { wholeSet: true })).toMatchObject({ total: 2, changed: 1 });
    expect(await call.replayRules(other, { removedRuleIds: [rule!.id] })).toMatchObject({
      changed: 1,
      changes: [{ from: 'auto_approved', to: 'pending', count: 1 }],
    });
  });

  test('includes lists of known software and access policies', async () => {
    const tenant = service.tenant();
    const who = admin(tenant);
    const resourceId = randomUUID();
    await past(tenant.tenantId, prompt());
    await past(tenant.tenantId, access({ resourceId }));
    await past(tenant.tenantId, access());
    const answer = await call.replayRules(who, {
      softwareEntries: [{ id: '', name: 'known', list: 'allow', matchHash: 'a'.repeat(64) }],
      accessPolicies: [{ resourceId, steps: [], maxDurationMinutes: 30 }],
    });
    expect(answer.changes.map(({ from, to, count }) => [from, to, count])).toEqual([
      ['needs_approval', 'denied', 1],
      ['pending', 'auto_approved', 1],
    ]);
    expect(await call.replayRules(who, { kind: 'access' })).toMatchObject({ total: 2, changed: 0 });
  });

  test('shows requests for access only to actors who see all of them', async () => {
    const tenant = service.tenant();
    await past(tenant.tenantId, access());
    await past(tenant.tenantId, prompt());
    const writer = tenant.user(['devices.read', 'devices.write']);
    expect(await call.replayRules(writer)).toMatchObject({ total: 1 });
    expect(await codeOf(call.replayRules(writer, { kind: 'access' }))).toBe('denied');
    const technician = admin(tenant, { siteIds: [randomUUID()] });
    expect(await call.replayRules(technician)).toMatchObject({ total: 0 });
  });

  test('hides the names of rules from actors who may not read rules', async () => {
    const tenant = service.tenant();
    await past(tenant.tenantId, prompt());
    const answer = await call.replayRules(tenant.user(['devices.write']), {
      rules: [draft({ matchSigner: 'Vendor' })],
    });
    expect(answer.changes[0]!.samples[0]).toMatchObject({ newRuleId: '', newRuleName: '', to: 'denied' });
    const resourceId = randomUUID();
    await past(tenant.tenantId, access({ resourceId }));
    const policies = { accessPolicies: [{ resourceId, steps: [], maxDurationMinutes: 480 }] };
    const names = async (permissions: string[]) =>
      (await call.replayRules(tenant.user(permissions), policies)).changes.flatMap(({ samples }) =>
        samples.map(({ newRuleName }) => newRuleName),
      );
    const reader = ['devices.read', 'devices.write', 'requests.read-all'];
    expect(await names(reader)).toEqual(['']);
    expect(await names([...reader, 'access-policies.read'])).toEqual([`access policy of ${resourceId}`]);
  });

  test('refuses invalid drafts, naming the field of each', async () => {
    const tenant = service.tenant();
    const elsewhere = await call.createRule(admin(tenant), {
      name: 'elsewhere',
      verdict: 'auto_deny',
      matchSigner: 'x',
      siteId: randomUUID(),
    });
    const technician = admin(tenant, { siteIds: [randomUUID()] });
    const malformed = call.replayRules(technician, {
      accessPolicies: [{ resourceId: 'x', steps: [], maxDurationMinutes: 5 }],
    });
    await expect(malformed).rejects.toMatchObject({
      reason: 'invalid',
      fields: [{ pointer: '/accessPolicies/0/resourceId' }],
    });
    const refused = call.replayRules(technician, {
      rules: [
        draft({ matchSigner: 'fine' }),
        draft({ matchToolName: 'a', matchSigner: 'b' }),
        draft({ id: randomUUID(), matchSigner: 'c' }),
        draft({ id: elsewhere.rule!.id, matchSigner: 'd' }),
      ],
      removedRuleIds: ['nothing'],
      softwareEntries: [{ id: '', name: 'all', list: 'deny' }],
    });
    await expect(refused).rejects.toMatchObject({
      reason: 'invalid',
      fields: [
        { pointer: '/removedRuleIds/0' },
        { pointer: '/rules/1/matchToolName' },
        { pointer: '/rules/2/id' },
        { pointer: '/rules/3/id' },
        { pointer: '/softwareEntries/0' },
      ],
    });
  });
});

describe('the examination', () => {
  const person = (id: string, more: object = {}) => ({
    id,
    name: `person ${id.slice(0, 4)}`,
    roles: [],
    siteRestricted: false,
    siteIds: [],
    groups: [],
    behind: [],
    ...more,
  });
  const permit = (tenant: Tenant, permission: string, ...ids: string[]): void =>
    void permitted.set(
      `${tenant.tenantId} ${permission}`,
      ids.map((id) => person(id)),
    );

  test('finds unreachable rules and authors who benefit from their own rule, in drafts as well', async () => {
    const tenant = service.tenant();
    const who = admin(tenant);
    const front = (
      await call.createRule(who, { name: 'front', verdict: 'auto_deny', priority: 1, matchSigner: 'V' })
    ).rule!;
    permit(tenant, 'devices.execute', randomUUID(), randomUUID());
    permit(tenant, 'requests.decide', randomUUID(), randomUUID());
    const { findings, ruleSetVersion } = await call.lintRules(who, {
      rules: [draft({ name: 'behind', verdict: 'auto_approve', matchSigner: 'V', matchUser: 'acme\\sarah' })],
    });
    expect(ruleSetVersion).toBe('1');
    expect(findings).toMatchObject([
      { finding: 'shadowed', severity: 'error', ruleName: 'behind', otherRuleIds: [front.id] },
      { finding: 'author_benefits', severity: 'warning', ruleName: 'behind' },
    ]);
    expect(findings.every(({ hint }) => hint.length > 10)).toBe(true);
    // The author alone does not benefit from a co-signed rule.
    const signed = await call.lintRules(who, {
      rules: [draft({ name: 'b', verdict: 'auto_approve', matchSigner: 'W', coSignerIds: [randomUUID()] })],
    });
    expect(signed.findings).toEqual([]);
  });

  test('finds the requests that nobody can approve, excluding the subject, within sites', async () => {
    const tenant = service.tenant();
    const who = admin(tenant);
    const [first, second] = [randomUUID(), randomUUID()];
    const [hq, branch] = [randomUUID(), randomUUID()];
    permitted.set(`${tenant.tenantId} devices.execute`, [
      person(first),
      person(second, { siteRestricted: true, siteIds: [hq] }),
    ]);
    permit(tenant, 'requests.decide', first, second);
    // The second person can approve, within their site.
    await past(tenant.tenantId, prompt({ subjectUserId: first, siteId: hq }));
    const stuck = await past(tenant.tenantId, prompt({ subjectUserId: first, siteId: branch }));
    const nowhere = await past(tenant.tenantId, prompt({ subjectUserId: first }));
    await past(tenant.tenantId, prompt({ subjectUserId: first, siteId: branch }), { expired: true });
    await past(tenant.tenantId, prompt({ subjectUserId: second, siteId: branch }));
    const { findings } = await call.lintRules(who);
    const about = findings.filter(({ requestId }) => requestId !== '');
    expect(about.map(({ requestId }) => requestId).sort()).toEqual([stuck, nowhere].sort());
    expect(about[0]).toMatchObject({ finding: 'nobody_can_approve', severity: 'error', approvers: [] });
    // An actor restricted to sites sees nothing of other sites.
    const technician = admin(tenant, { siteIds: [hq] });
    const theirs = await call.lintRules(technician);
    expect(theirs.findings.filter(({ requestId }) => requestId !== '')).toEqual([]);
  });

  test('finds access steps without approvers, and requests without remaining approvers', async () => {
    const tenant = service.tenant();
    const who = admin(tenant);
    const [requester, one, two] = [randomUUID(), randomUUID(), randomUUID()];
    permit(tenant, 'devices.execute', one, two);
    permit(tenant, 'requests.decide', requester, one, two);
    const { schema, scratch } = service;
    const add = async (quorum: number, decidedBy: string[] = []): Promise<string> => {
      const id = randomUUID();
      const steps = JSON.stringify([{ name: 'owners', quorum, approverUserIds: [], approverRoles: [] }]);
      await scratch.query(`
        INSERT INTO ${schema}.requests (tenant_id, id, kind, requester_id, requester_name, entry_id, entry_name, resource_name,
          module_type, reason, ticket, duration_minutes, digest, steps, one_time, rotate_on_end, expires_at)
        VALUES ('${tenant.tenantId}', '${id}', 'access', '${requester}', 'r', gen_random_uuid(), 'e', 'res', 'ssh', 'why', '', 60,
          '${'c'.repeat(64)}', '${steps}', true, true, now() + interval '1 hour')`);
      for (const user of decidedBy)
        await scratch.query(`
          INSERT INTO ${schema}.decisions (tenant_id, request_id, step, user_id, user_name, decision, comment)
          VALUES ('${tenant.tenantId}', '${id}', 0, '${user}', 'u', 'approve', '')`);
      return id;
    };
    await add(2);
    const stuck = await add(3);
    await add(2, [one]);
    const alsoStuck = await add(3, [one]);
    const { findings } = await call.lintRules(who);
    const about = findings.filter(({ requestId }) => requestId !== '');
    expect(about.map(({ requestId }) => requestId).sort()).toEqual([stuck, alsoStuck].sort());
    expect(
      about
        .find(({ requestId }) => requestId === stuck)!
        .approvers.map(({ id }) => id)
        .sort(),
    ).toEqual([one, two].sort());
    expect(about[0]!.approvers[0]!.availableAt).toBeDefined();
    const reader = tenant.user(['devices.read']);
    expect((await call.lintRules(reader)).findings.filter(({ requestId }) => requestId !== '')).toEqual([]);
  });

  test('excludes the person responsible for a machine identity that requests or has decided', async () => {
    const tenant = service.tenant();
    const [maker, other, machine] = [randomUUID(), randomUUID(), randomUUID()];
    permit(tenant, 'devices.execute', maker, other);
    permit(tenant, 'requests.decide', maker, other);
    const { schema, scratch } = service;
    const add = async (quorum: number, requester: string, behind: string[]): Promise<string> => {
      const id = randomUUID();
      const steps = JSON.stringify([{ name: 'owners', quorum, approverUserIds: [], approverRoles: [] }]);
      await scratch.query(
        `INSERT INTO ${schema}.requests (tenant_id, id, kind, requester_id, requester_behind, requester_name, entry_id, entry_name,
          resource_name, module_type, reason, ticket, duration_minutes, digest, steps, one_time, rotate_on_end, expires_at)
         VALUES ($1, $2, 'access', $3, $4, 'r', gen_random_uuid(), 'e', 'res', 'ssh', 'why', '', 60, repeat('d', 64), $5, true, true,
          now() + interval '1 hour')`,
        [tenant.tenantId, id, requester, behind, steps],
      );
      return id;
    };
    const ofMachine = await add(2, machine, [maker]);
    const half = await add(2, randomUUID(), []);
    await scratch.query(
      `INSERT INTO ${schema}.decisions (tenant_id, request_id, step, user_id, user_behind, user_name, decision, comment)
       VALUES ($1, $2, 0, $3, $4, 'u', 'approve', '')`,
      [tenant.tenantId, half, machine, [maker]],
    );
    const { findings } = await call.lintRules(admin(tenant));
    const about = findings.filter(({ requestId }) => requestId !== '');
    expect(about.map(({ requestId }) => requestId)).toEqual([ofMachine]);
    expect(about[0]!.approvers.map(({ id }) => id)).toEqual([other]);
  });

  test('names access policies that only their author can approve, and authors who request access under a lowered one', async () => {
    const tenant = service.tenant();
    const who = admin(tenant);
    const [writer, one, two] = [tenant.user(['*']), randomUUID(), randomUUID()];
    permit(tenant, 'devices.execute', one, two);
    permit(tenant, 'requests.decide', writer.userId, one, two);
    const put = async (by: Actor, resourceId: string, quorum: number, approverUserIds: string[] = []) => {
      await service.handlers.putAccessPolicy(by, {
        resourceId,
        steps: [{ name: 'owners', quorum, approverUserIds, approverRoles: [] }],
        maxDurationMinutes: 60,
        requestTtlMinutes: 90,
        oneTime: true,
        rotateOnEnd: true,
      });
    };
    const resource = (name: string) => service.vault.addResource(tenant.tenantId, name).resourceId;
    const [alone, lowered, raised] = [resource('alone'), resource('lowered'), resource('raised')];
    await put(writer, alone, 1, [writer.userId]);
    for (const resourceId of [lowered, raised]) await put(who, resourceId, 2);
    await put(writer, lowered, 1);
    // Saving the policy again does not hide the finding.
    await put(writer, lowered, 1);
    await put(writer, raised, 3);
    const codes = async (actor: Actor = who) =>
      (await call.lintRules(actor)).findings
        .filter(({ finding }) => finding.startsWith('author_'))
        .map(({ finding, ruleId }) => [finding, ruleId]);
    const first = ['author_alone_approves', `access-policy:${alone}`];
    expect(await codes()).toEqual([first]);
    for (const resourceId of [lowered, raised])
      await service.handlers.createRequest(writer, { resourceId, reason: 'why', durationMinutes: 30 });
    expect(await codes()).toEqual([first, ['author_lowered', `access-policy:${lowered}`]]);
    // Without access to policies, or to all requests, the finding is hidden.
    expect(await codes(tenant.user(['devices.read', 'requests.read-all']))).toEqual([]);
    expect(await codes(tenant.user(['devices.read', 'access-policies.read']))).toEqual([first]);
    await put(who, lowered, 2);
    expect(await codes()).toEqual([first]);
  });

  test('warns if nobody in the tenant may decide requests', async () => {
    const tenant = service.tenant();
    const { findings } = await call.lintRules(admin(tenant));
    expect(findings[0]).toMatchObject({ finding: 'nobody_can_approve', ruleId: '', requestId: '' });
  });

  test('hides rules of other sites from actors restricted to sites', async () => {
    const tenant = service.tenant();
    const site = randomUUID();
    const rule = { verdict: 'auto_deny', matchSigner: 'V', siteId: site };
    await call.createRule(admin(tenant), { ...rule, name: 'one' });
    await call.createRule(admin(tenant), { ...rule, name: 'two' });
    const codes = async (actor: Actor) =>
      (await call.lintRules(actor)).findings.map(({ finding }) => finding);
    expect(await codes(admin(tenant))).toContain('redundant');
    expect(await codes(admin(tenant, { siteIds: [site] }))).toContain('redundant');
    expect(await codes(admin(tenant, { siteIds: [randomUUID()] }))).not.toContain('redundant');
    expect(await codeOf(call.lintRules(tenant.user(['devices.execute'])))).toBe('denied');
  });
});
