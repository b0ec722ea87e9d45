import { randomUUID } from 'node:crypto';
import type { ElevationFacts, Rule, SoftwareEntry } from '@claviger/evaluator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decideNow, startWorkflow, type Workflow } from '../../test-support.ts';
import { changeRuleSet, type RuleSetChange } from './change-rule-set.ts';
import { findEvaluation, recordEvaluation } from './record-evaluation.ts';

let service: Workflow;
beforeAll(async () => {
  service = await startWorkflow();
});
afterAll(() => service[Symbol.asyncDispose]());

const HASH = 'a'.repeat(64);
const prompt = (fields: Partial<ElevationFacts> = {}): ElevationFacts => ({
  kind: 'elevation',
  flowType: 'uac_intercept',
  at: '2026-11-20T10:00:00Z',
  siteId: null,
  subjectUserId: '00000000-0000-4000-8000-00000000000a',
  username: 'acme\\sarah',
  groups: [],
  path: 'C:\\Tools\\a.exe',
  hash: HASH,
  signer: 'Vendor',
  parentImage: 'C:\\Windows\\explorer.exe',
  ...fields,
});

const rule = (fields: Partial<Rule> = {}): Rule => ({
  id: randomUUID(),
  name: 'a rule',
  verdict: 'auto_approve',
  matchSigner: 'Vendor',
  authorIds: [],
  ...fields,
});

const put = (tenantId: string, ...changes: RuleSetChange[]) =>
  service.deps.database.withTenant(tenantId, (tx) => changeRuleSet(tx, tenantId, changes));
const asRule = (body: Rule): RuleSetChange => ({ kind: 'rule', objectId: body.id, body });

describe('the decider', () => {
  test('leaves everything to a person if there are no rules', async () => {
    const { evaluation } = await decideNow(service.deps.decider, randomUUID(), prompt());
    expect(evaluation).toMatchObject({ verdict: 'pending', because: 'no_rule', ruleSetVersion: '0' });
  });

  test('decides by a new version from the commit of the change on', async () => {
    const tenantId = randomUUID();
    const body = rule();
    expect(await put(tenantId, asRule(body))).toBe(1);
    const first = await decideNow(service.deps.decider, tenantId, prompt());
    expect(first.evaluation).toMatchObject({ verdict: 'auto_approved', ruleSetVersion: '1' });
    expect(await put(tenantId, asRule({ ...body, verdict: 'auto_deny' }))).toBe(2);
    const second = await decideNow(service.deps.decider, tenantId, prompt());
    expect(second.evaluation).toMatchObject({ verdict: 'denied', ruleSetVersion: '2' });
    await put(tenantId, { kind: 'rule', objectId: body.id, body: null });
    const third = await decideNow(service.deps.decider, tenantId, prompt());
    expect(third.evaluation).toMatchObject({ verdict: 'pending', because: 'no_rule', ruleSetVersion: '3' });
  });

  test('evaluates the lists of known software before the rules', async () => {
    const tenantId = randomUUID();
    const entry: SoftwareEntry = {
      id: randomUUID(),
      name: 'bad',
      list: 'deny',
      matchHash: HASH,
      authorIds: [],
    };
    await put(tenantId, asRule(rule()), { kind: 'software', objectId: entry.id, body: entry });
    const denied = await decideNow(service.deps.decider, tenantId, prompt());
    expect(denied.evaluation).toMatchObject({ verdict: 'denied', source: 'software_policy' });
    const other = await decideNow(service.deps.decider, tenantId, prompt({ hash: 'b'.repeat(64) }));
    expect(other.evaluation).toMatchObject({ verdict: 'auto_approved', source: 'pam_rule' });
  });

  test('ignores the rules of other tenants', async () => {
    await put(randomUUID(), asRule(rule()));
    const { evaluation } = await decideNow(service.deps.decider, randomUUID(), prompt());
    expect(evaluation.because).toBe('no_rule');
  });

  test('applies the default policy to a request for access without its own policy', async () => {
    const { evaluation } = await decideNow(service.deps.decider, randomUUID(), {
      kind: 'access',
      at: '2026-11-20T10:00:00Z',
      subjectUserId: randomUUID(),
      resourceId: randomUUID(),
      durationMinutes: 60,
      reason: 'a disk is full',
    });
    expect(evaluation).toMatchObject({ verdict: 'needs_approval', access: { maxDurationMinutes: 480 } });
  });

  test('concurrent changes of a rule set create consecutive versions', async () => {
    const tenantId = randomUUID();
    const versions = await Promise.all(Array.from({ length: 8 }, () => put(tenantId, asRule(rule()))));
    expect(versions.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('facts that cannot be stored count as unknown, and the stored decision equals the original', async () => {
    const tenantId = randomUUID();
    await put(tenantId, asRule(rule({ matchSigner: null, matchPathGlob: 'C:\\*' })));
    for (const path of ['C:\\a\u0000.exe', 'C:\\a\ud800.exe']) {
      const decided = await decideNow(service.deps.decider, tenantId, prompt({ path }));
      expect(decided.evaluation).toMatchObject({ verdict: 'pending', because: 'not_known' });
      const requestId = randomUUID();
      await service.deps.database.withTenant(tenantId, (tx) =>
        recordEvaluation(tx, { tenantId, requestId, label: 'sarah on WIN-1', decided }),
      );
      const found = await service.deps.database.readTenant(tenantId, (reader) =>
        findEvaluation(reader, requestId),
      );
      expect(found).toMatchObject({ ...decided, label: 'sarah on WIN-1' });
    }
  });

  test('neither an evaluation nor an ended revision can be changed', async () => {
    const tenantId = randomUUID();
    const body = rule();
    await put(tenantId, asRule(body));
    await expect(
      service.deps.database.withTenant(tenantId, (tx) =>
        tx.updateTable('rule_revisions').set({ row_version: 7 }).where('object_id', '=', body.id).execute(),
      ),
    ).rejects.toThrow();
    await expect(
      service.deps.database.withTenant(tenantId, (tx) =>
        tx.updateTable('evaluations').set({ label: 'another' }).execute(),
      ),
    ).rejects.toThrow();
  });
});
