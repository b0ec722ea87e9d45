import { randomUUID } from 'node:crypto';
import * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Rule } from '@claviger/evaluator';
import type { Actor } from '@claviger/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ADMIN,
  bind,
  codeOf,
  decideNow,
  startWorkflow,
  type Tenant,
  type Workflow,
} from '../../test-support.ts';
import { pamRulesService, softwarePolicyService } from '../registry.ts';

let service: Workflow;
const connect = () => ({
  ...bind(contract.PamRulesService, pamRulesService(service.deps)),
  ...bind(contract.SoftwarePolicyService, softwarePolicyService(service.deps)),
});
let call: ReturnType<typeof connect>;
beforeAll(async () => {
  service = await startWorkflow();
  call = connect();
});
afterAll(() => service[Symbol.asyncDispose]());

const WRITER = ['devices.read', 'devices.write'];
const someone = (tenant: Tenant, more: Partial<Actor> = {}): Actor => ({ ...tenant.user(WRITER), ...more });
const signed = { name: 'Mozilla installers', verdict: 'auto_approve', matchSigner: 'Mozilla Corporation' };
const create = async (actor: Actor, fields: object = {}) =>
  (await call.createRule(actor, { ...signed, ...fields })).rule!;
const problemsOf = async (answer: Promise<unknown>): Promise<string[]> => {
  try {
    await answer;
    return [];
  } catch (error) {
    return (error as { fields: { pointer: string }[] }).fields.map(({ pointer }) => pointer);
  }
};
const prompt = (subjectUserId: string | null, fields: object = {}) =>
  ({
    kind: 'elevation',
    flowType: 'uac_intercept',
    at: '2026-11-20T10:00:00Z',
    siteId: null,
    subjectUserId,
    username: 'acme\\sarah',
    groups: [],
    path: 'C:\\a.exe',
    hash: 'a'.repeat(64),
    signer: 'Mozilla Corporation',
    parentImage: 'C:\\b.exe',
    ...fields,
  }) as const;

describe('rules', () => {
  test('a rule is returned as written, with its defaults, its author and its version', async () => {
    const admin = someone(service.tenant());
    const rule = await create(admin, {
      timeWindow: { start: '22:00', end: '06:00', days: [1], timezone: 'Europe/Berlin' },
      approvalDurationMinutes: 30,
    });
    expect(rule).toMatchObject({
      ...signed,
      priority: 100,
      enabled: true,
      siteId: undefined,
      timeWindow: { start: '22:00', end: '06:00', days: [1], timezone: 'Europe/Berlin' },
      approvalDurationMinutes: 30,
      authors: [{ id: admin.userId, name: admin.userName }],
      coSigners: [],
      ruleSetVersion: '1',
      rowVersion: 1,
    });
    expect((await call.getRule(admin, { id: rule.id })).rule).toEqual(rule);
    expect(await service.events(rule.id)).toMatchObject([{ action: 'rule.created' }]);
  });

  test.each([
    [{ matchSigner: undefined }, ''],
    [{ matchSigner: undefined, timeWindow: { start: '08:00', end: '09:00', days: [], timezone: '' } }, ''],
    [{ matchToolName: 'shell' }, '/matchToolName'],
    [{ matchRiskTier: 2 }, '/matchRiskTier'],
    [{ matchSigner: undefined, matchToolName: 'shell', verdict: 'ignore' }, '/verdict'],
    [{ matchHash: 'abc' }, '/matchHash'],
    // H-194: a pattern that could be slow is not stored.
    [{ matchPathGlob: '*?'.repeat(40) }, '/matchPathGlob'],
    [{ matchPathGlob: `C:\\\\${'a'.repeat(600)}` }, '/matchPathGlob'],
    [{ matchSigner: undefined, matchRiskTier: 5 }, '/matchRiskTier'],
    [{ siteId: 'hq' }, '/siteId'],
    [{ timeWindow: { start: '24:00', end: '09:00', days: [], timezone: '' } }, '/timeWindow/start'],
    [{ timeWindow: { start: '08:00', end: '09:00', days: [7], timezone: '' } }, '/timeWindow/days/0'],
    [{ timeWindow: { start: '08:00', end: '09:00', days: [], timezone: 'Mars' } }, '/timeWindow/timezone'],
    [{ approvalDurationMinutes: 1441 }, '/approvalDurationMinutes'],
    [{ verdict: 'maybe' }, '/verdict'],
    [{ name: '' }, '/name'],
  ])('H-193 H-198 an unsound rule is refused, naming the field: %j', async (fields, pointer) => {
    const admin = someone(service.tenant());
    expect(await problemsOf(create(admin, fields))).toContain(pointer);
    expect((await call.listRules(admin)).pagination).toMatchObject({ total: 0 });
  });

  test('H-193 a change is validated by its result, and null removes a criterion', async () => {
    const admin = someone(service.tenant());
    const { id } = await create(admin, { matchUser: 'acme\\sarah' });
    const update = (fields: object, updateMask = Object.keys(fields)) =>
      call.updateRule(admin, { id, ...fields, updateMask });
    expect(await problemsOf(update({ matchToolName: 'shell' }))).toEqual(['/matchToolName']);
    const { rule } = await update({ matchSigner: undefined });
    expect(rule).toMatchObject({ matchSigner: undefined, matchUser: 'acme\\sarah', rowVersion: 2 });
    expect(await problemsOf(update({ matchUser: undefined }))).toEqual(['']);
    // A rule that becomes a tool rule must not have the verdict `ignore`.
    expect(
      await problemsOf(update({ matchUser: undefined, matchToolName: 'shell', verdict: 'ignore' })),
    ).toEqual(['/verdict']);
    const [, changed] = await service.events(id);
    expect(changed).toMatchObject({
      action: 'rule.updated',
      details: { changed: ['matchSigner'], was: { matchSigner: 'Mozilla Corporation' } },
    });
  });

  test('of two changes of the same version, one is refused', async () => {
    const admin = someone(service.tenant());
    const { id, rowVersion } = await create(admin);
    const codes = await Promise.all(
      [1, 2].map((priority) => codeOf(call.updateRule(admin, { id, priority, rowVersion, updateMask: [] }))),
    );
    expect(codes.sort()).toEqual(['ok', 'precondition_failed']);
  });

  test('rules are listed in the order of evaluation, page by page', async () => {
    const admin = someone(service.tenant());
    const made: Rule[] = [];
    for (const [priority, verdict] of [
      [100, 'auto_approve'],
      [100, 'auto_deny'],
      [5, 'ignore'],
      [100, 'require_approval'],
      [100, 'ignore'],
    ] as const)
      made.push((await create(admin, { priority, verdict })) as unknown as Rule);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await call.listRules(admin, { limit: 2, cursor });
      seen.push(...page.rules.map(({ verdict, priority }) => `${priority} ${verdict}`));
      cursor = page.nextCursor ?? '';
      expect(page).toMatchObject({ success: true, ruleSetVersion: '5', pagination: { limit: 2, total: 5 } });
    } while (cursor);
    expect(seen).toEqual([
      '5 ignore',
      '100 auto_deny',
      '100 require_approval',
      '100 ignore',
      '100 auto_approve',
    ]);
    const denying = await call.listRules(admin, { verdict: 'auto_deny' });
    expect(denying.rules.map(({ id }) => id)).toEqual([made[1]!.id]);
    expect((await call.listRules(admin, { search: 'mozilla', enabled: false })).rules).toEqual([]);
  });

  test('a deleted rule decides nothing and is not found, like a rule of another tenant', async () => {
    const admin = someone(service.tenant());
    const { id } = await create(admin);
    const stranger = someone(service.tenant());
    const codes = await Promise.all([
      codeOf(call.getRule(stranger, { id })),
      codeOf(call.deleteRule(stranger, { id })),
      codeOf(call.updateRule(stranger, { id, priority: 1, updateMask: [] })),
      codeOf(call.coSignRule(stranger, { id })),
    ]);
    expect(new Set(codes)).toEqual(new Set(['not_found']));
    expect(await call.deleteRule(admin, { id })).toEqual({ success: true, id });
    expect(await codeOf(call.getRule(admin, { id }))).toBe('not_found');
    expect(await codeOf(call.deleteRule(admin, { id }))).toBe('not_found');
    const { evaluation } = await decideNow(service.deps.decider, admin.tenantId, prompt(randomUUID()));
    expect(evaluation).toMatchObject({ because: 'no_rule', ruleSetVersion: '2' });
  });

  test('a rule created as disabled decides nothing until it is enabled', async () => {
    const admin = someone(service.tenant());
    const { id } = await create(admin, { enabled: false });
    const decide = async () =>
      (await decideNow(service.deps.decider, admin.tenantId, prompt(randomUUID()))).evaluation.verdict;
    expect(await decide()).toBe('pending');
    await call.updateRule(admin, { id, enabled: true, updateMask: ['enabled'] });
    expect(await decide()).toBe('auto_approved');
  });
});

describe('co-signing', () => {
  test('a rule approves for its authors only after another person has co-signed its current state', async () => {
    const tenant = service.tenant();
    const [author, editor, third] = [someone(tenant), someone(tenant), someone(tenant)];
    const { id } = await create(author);
    await call.updateRule(editor, { id, priority: 7, updateMask: ['priority'] });
    const decideFor = async (who: Actor) =>
      (await decideNow(service.deps.decider, tenant.tenantId, prompt(who.userId))).evaluation;
    for (const who of [author, editor]) {
      expect(await decideFor(who)).toMatchObject({ verdict: 'pending', because: 'own_rule' });
      expect(await codeOf(call.coSignRule(who, { id }))).toBe('own_rule');
    }
    expect((await decideFor(third)).verdict).toBe('auto_approved');
    const { rule } = await call.coSignRule(third, { id, rowVersion: 2 });
    expect(rule!.coSigners).toEqual([{ id: third.userId, name: third.userName }]);
    expect((await decideFor(author)).verdict).toBe('auto_approved');
    // The change ends the co-signature.
    const changed = await call.updateRule(editor, { id, priority: 8, updateMask: ['priority'] });
    expect(changed.rule).toMatchObject({
      coSigners: [],
      authors: [{ id: author.userId }, { id: editor.userId }],
    });
    expect((await decideFor(author)).because).toBe('own_rule');
  });

  test('a machine identity counts as its responsible person', async () => {
    const tenant = service.tenant();
    const author = someone(tenant);
    const machine = someone(tenant, {
      kind: 'api-token',
      responsibleId: author.userId,
      behind: [author.userId],
    });
    const { id } = await create(author);
    expect(await codeOf(call.coSignRule(machine, { id }))).toBe('own_rule');
    const byMachine = await create(machine);
    expect(byMachine.authors.map((person) => person.id)).toEqual([machine.userId, author.userId]);
    expect(await codeOf(call.coSignRule(author, { id: byMachine.id }))).toBe('own_rule');
  });

  test('a co-signature is valid for the version that was read', async () => {
    const tenant = service.tenant();
    const [author, third] = [someone(tenant), someone(tenant)];
    const { id, rowVersion } = await create(author);
    await call.updateRule(author, { id, matchSigner: 'Anybody', updateMask: [] });
    expect(await codeOf(call.coSignRule(third, { id, rowVersion }))).toBe('precondition_failed');
  });
});

describe('an actor restricted to sites', () => {
  test('writes rules only for those sites, and sees those of the organisation', async () => {
    const tenant = service.tenant();
    const [own, other] = [randomUUID(), randomUUID()];
    const admin = someone(tenant);
    const technician = someone(tenant, { siteIds: [own] });
    const everywhere = await create(admin);
    const elsewhere = await create(admin, { siteId: other });
    const here = await create(technician, { siteId: own.toUpperCase() });
    expect(here.siteId).toBe(own);
    for (const siteId of [undefined, other])
      expect(await codeOf(create(technician, { siteId }))).toBe('site_denied');
    for (const { id } of [everywhere, elsewhere]) {
      expect(await codeOf(call.updateRule(technician, { id, priority: 1, updateMask: [] }))).toBe(
        'site_denied',
      );
      expect(await codeOf(call.deleteRule(technician, { id }))).toBe('site_denied');
      expect(await codeOf(call.coSignRule(technician, { id }))).toBe('site_denied');
    }
    // A rule cannot be moved out of the sites either.
    for (const siteId of [undefined, other])
      expect(await codeOf(call.updateRule(technician, { id: here.id, siteId, updateMask: ['siteId'] }))).toBe(
        'site_denied',
      );
    const { rules, pagination } = await call.listRules(technician);
    expect(rules.map(({ id }) => id).sort()).toEqual([everywhere.id, here.id].sort());
    expect(pagination!.total).toBe(2);
    expect(await codeOf(call.getRule(technician, { id: elsewhere.id }))).toBe('not_found');
    expect((await call.getRule(technician, { id: everywhere.id })).rule!.id).toBe(everywhere.id);
    const nowhere = someone(tenant, { siteIds: [] });
    expect((await call.listRules(nowhere)).rules.map(({ id }) => id)).toEqual([everywhere.id]);
  });
});

describe('known software', () => {
  test('is versioned like rules, and decides before them', async () => {
    const tenant = service.tenant();
    const admin = someone(tenant);
    await create(admin, { verdict: 'auto_deny' });
    const entry = (
      await call.createSoftwareEntry(admin, { name: 'Firefox', list: 'allow', matchHash: 'A'.repeat(64) })
    ).entry!;
    expect(entry).toMatchObject({ list: 'allow', matchHash: 'a'.repeat(64), enabled: true, rowVersion: 1 });
    const decide = async () =>
      (await decideNow(service.deps.decider, tenant.tenantId, prompt(randomUUID()))).evaluation;
    expect(await decide()).toMatchObject({ verdict: 'auto_approved', source: 'software_policy' });
    const { id } = entry;
    const update = (fields: object) =>
      call.updateSoftwareEntry(admin, { id, ...fields, updateMask: Object.keys(fields) });
    expect(await problemsOf(update({ matchHash: undefined }))).toEqual(['']);
    expect((await update({ matchHash: undefined, matchSigner: 'Somebody' })).entry).toMatchObject({
      matchHash: undefined,
      matchSigner: 'Somebody',
      rowVersion: 2,
    });
    expect(await decide()).toMatchObject({ verdict: 'denied', source: 'pam_rule' });
    expect(await codeOf(update({ list: 'deny', rowVersion: 1 }))).toBe('precondition_failed');
    const listed = await call.listSoftwareEntries(admin, { list: 'allow', search: 'fire' });
    expect(listed).toMatchObject({ success: true, entries: [{ id }], pagination: { total: 1, limit: 50 } });
    const stranger = someone(service.tenant());
    expect(await codeOf(call.deleteSoftwareEntry(stranger, { id }))).toBe('not_found');
    const technician = someone(tenant, { siteIds: [randomUUID()] });
    expect(await codeOf(call.deleteSoftwareEntry(technician, { id }))).toBe('site_denied');
    await call.deleteSoftwareEntry(admin, { id });
    expect((await call.listSoftwareEntries(admin)).entries).toEqual([]);
  });

  test('an entry co-signed by another person approves for an unowned name, until the entry changes', async () => {
    const tenant = service.tenant();
    const [author, third] = [someone(tenant), someone(tenant)];
    const made = { name: 'Firefox', list: 'allow', matchHash: 'a'.repeat(64) };
    const { id } = (await call.createSoftwareEntry(author, made)).entry!;
    const because = async () =>
      (await decideNow(service.deps.decider, tenant.tenantId, prompt(null))).evaluation.because;
    expect(await because()).toBe('unowned_name');
    expect(await codeOf(call.coSignSoftwareEntry(author, { id }))).toBe('own_rule');
    expect(await codeOf(call.coSignSoftwareEntry(third, { id, rowVersion: 2 }))).toBe('precondition_failed');
    const { entry } = await call.coSignSoftwareEntry(third, { id, rowVersion: 1 });
    expect(entry!.coSigners).toEqual([{ id: third.userId, name: third.userName }]);
    expect(await because()).toBe('software_list');
    const changed = await call.updateSoftwareEntry(author, { id, name: 'other', updateMask: ['name'] });
    expect(changed.entry!.coSigners).toEqual([]);
    expect(await because()).toBe('unowned_name');
  });

  test('an entry without criteria is refused', async () => {
    const admin = someone(service.tenant());
    expect(await problemsOf(call.createSoftwareEntry(admin, { name: 'all', list: 'allow' }))).toEqual(['']);
  });
});

test('a new look-alike text is refused in rules, lists and policies, naming the field', async () => {
  const tenant = service.tenant();
  const admin = someone(tenant);
  const twin = 'M\u043ezilla';
  expect(await problemsOf(create(admin, { matchSigner: twin }))).toEqual(['/matchSigner']);
  expect(await problemsOf(create(admin, { name: twin }))).toEqual(['/name']);
  const entry = { name: 'e', list: 'allow', matchPathGlob: `C:\\${twin}\\*.exe` };
  expect(await problemsOf(call.createSoftwareEntry(admin, entry))).toEqual(['/matchPathGlob']);
  const { id } = await create(admin);
  const update = (fields: object) =>
    call.updateRule(admin, { id, ...fields, updateMask: Object.keys(fields) });
  expect(await problemsOf(update({ matchUser: `acme\\${twin}` }))).toEqual(['/matchUser']);
  const { resourceId } = service.vault.addResource(tenant.tenantId, 'db');
  const policy = { maxDurationMinutes: 60, oneTime: true, rotateOnEnd: true, requestTtlMinutes: 60 };
  const steps = [{ name: twin, quorum: 1, approverUserIds: [], approverRoles: [] }];
  expect(
    await problemsOf(service.handlers.putAccessPolicy(tenant.user(ADMIN), { resourceId, ...policy, steps })),
  ).toEqual(['/steps/0/name']);
  const draft = { ...signed, id: '', matchUser: twin, coSignerIds: [] } as unknown as contract.RuleDraft;
  expect(await problemsOf(call.lintRules(admin, { rules: [draft] }))).toEqual(['/rules/0/matchUser']);
  // A rule from before this check can be disabled unchanged.
  await service.scratch.query(
    `SET session_replication_role = replica;
     UPDATE ${service.schema}.rule_revisions SET body = jsonb_set(body, '{name}', to_jsonb('${twin}'::text))
     WHERE object_id = '${id}' AND until_version IS NULL`,
  );
  expect((await update({ enabled: false })).rule).toMatchObject({ name: twin, enabled: false });
});

test('a tenant can have at most ten thousand rules', async () => {
  const admin = someone(service.tenant());
  await service.scratch.query(`
    INSERT INTO ${service.schema}.rule_revisions (tenant_id, kind, object_id, from_version, body)
    SELECT '${admin.tenantId}', 'rule', gen_random_uuid()::text, 1, '{"verdict": "auto_deny"}' FROM generate_series(1, 10000)`);
  expect(await codeOf(create(admin))).toBe('rule_limit');
});
