import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import * as contract from '@claviger/contracts/workflow/v1/rules';
import {
  accessRuleOf,
  compileRuleSet,
  evaluate,
  type Facts,
  forTests,
  type Rule,
  type SoftwareEntry,
} from '@claviger/evaluator';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bind, PATIENT_MS, startWorkflow, type Workflow } from '../../test-support.ts';
import { DEFAULT_POLICY } from '../policies/access-policy.ts';
import { changeRuleSet, type RuleSetChange } from './change-rule-set.ts';
import { replayRules } from './replay-rules.ts';
import { verifyHistory } from './verify-history.ts';

const DECISIONS = 100_000;
const VERSIONS = 5;
const PER_INSERT = 5_000;
const NEWEST = 3_000;
const seed = { seed: 20_261_122 };

interface RuleSetParts {
  readonly rules: Rule[];
  readonly entries: SoftwareEntry[];
}
interface Decision {
  readonly requestId: string;
  readonly facts: Facts;
  readonly verdict: string;
  readonly ruleId: string | null;
}

const { anyFacts, entryList, oracle, ruleList } = await forTests();

let service: Workflow;
const tenantId = randomUUID();
const sets: RuleSetParts[] = [];
const history: Decision[] = [];

/** Generated rule sets, one per version; the ids are as stored. */
function someRuleSet(n: number): RuleSetParts {
  const lists = fc.sample(ruleList, { seed: seed.seed + n, numRuns: 8 });
  const rules = lists.flat().map((rule, index) => ({
    ...rule,
    id: uuidOf(n, index),
    name: `rule ${index}`,
  }));
  const [listed] = fc.sample(entryList, { seed: seed.seed + n, numRuns: 1 });
  return { rules, entries: listed!.map((entry, index) => ({ ...entry, id: uuidOf(n, 500 + index) })) };
}

function uuidOf(version: number, index: number): string {
  return `00000000-0000-4000-b${version.toString().padStart(3, '0')}-${index.toString().padStart(12, '0')}`;
}

/** The rules as a decision reads them, including the default access policy. */
const inForce = ({ rules }: RuleSetParts): Rule[] => [...rules, accessRuleOf(null, DEFAULT_POLICY)];

beforeAll(async () => {
  service = await startWorkflow();
  // All rules differ between versions, so that a decision by a wrong version is noticed.
  for (let n = 0; n < VERSIONS; n++) {
    const set = someRuleSet(n);
    const before = sets.at(-1);
    const changes: RuleSetChange[] = [
      ...(before?.rules ?? []).map(({ id }) => ({ kind: 'rule' as const, objectId: id, body: null })),
      ...(before?.entries ?? []).map(({ id }) => ({ kind: 'software' as const, objectId: id, body: null })),
      ...set.rules.map((body) => ({ kind: 'rule' as const, objectId: body.id, body })),
      ...set.entries.map((body) => ({ kind: 'software' as const, objectId: body.id, body })),
    ];
    await service.deps.database.withTenant(tenantId, (tx) => changeRuleSet(tx, tenantId, changes));
    sets.push(set);
  }
  await fillHistory();
});
afterAll(() => service[Symbol.asyncDispose]());

/** Writes rows as ingest does, but many at once. */
async function fillHistory(): Promise<void> {
  const samples = fc.sample(anyFacts, { ...seed, numRuns: 4_000 });
  const compiled = sets.map((set, n) => compileRuleSet(`${n + 1}`, inForce(set), set.entries));
  let rows: object[] = [];
  for (let n = 0; n < DECISIONS; n++) {
    const facts = samples[n % samples.length]!;
    const version = 1 + Math.floor((n * VERSIONS) / DECISIONS);
    const { verdict, because, decidingRule, source, trace, ...answer } = evaluate(
      compiled[version - 1]!,
      facts,
    );
    const requestId = randomUUID();
    history.push({ requestId, facts, verdict, ruleId: decidingRule?.id ?? null });
    rows.push({
      n,
      request_id: requestId,
      kind: facts.kind,
      version,
      facts,
      verdict,
      because,
      deciding_rule_id: decidingRule?.id ?? null,
      source,
      trace: { steps: trace.steps.slice(-1), omitted: 0 },
      answer: { decidingRule, approvalDurationMinutes: answer.approvalDurationMinutes },
    });
    if (rows.length < PER_INSERT) continue;
    await service.scratch.query(
      `INSERT INTO ${service.schema}.evaluations (tenant_id, id, request_id, kind, rule_set_version, facts, verdict, because,
         deciding_rule_id, source, label, trace, answer, decided_at)
       SELECT $1, gen_random_uuid(), request_id, kind, version, facts, verdict, because, deciding_rule_id, source, 'request ' || n,
         trace, answer, now() - interval '20 days' + n * interval '10 seconds'
       FROM jsonb_to_recordset($2) AS r(n int, request_id uuid, kind text, version bigint, facts jsonb, verdict text,
         because text, deciding_rule_id text, source text, trace jsonb, answer jsonb)`,
      [tenantId, JSON.stringify(rows)],
    );
    rows = [];
  }
  await service.scratch.query(`ANALYZE ${service.schema}.evaluations`);
}

const clocks = () => ({ at: performance.now(), cpu: process.cpuUsage() });
/** Prints figures without asserting them, because they depend on the load of the machine. */
function tell(what: string, { at, cpu }: ReturnType<typeof clocks>): void {
  const { user, system } = process.cpuUsage(cpu);
  const used = Math.round((user + system) / 1_000);
  console.log(`${what} in ${Math.round(performance.now() - at)} ms, ${used} ms of them on the processor`);
}

const window = () => ({ from: new Date(Date.now() - 90 * 86_400_000), to: new Date(Date.now() + 60_000) });

test('H-197 a hundred thousand stored decisions are reproduced, each by the version that decided it', async () => {
  const start = clocks();
  const verified = await verifyHistory(service.deps.database, tenantId, window());
  tell(`verified ${verified.total} decisions`, start);
  expect(verified).toEqual({
    total: DECISIONS,
    reproduced: DECISIONS,
    undecided: 0,
    differing: [],
    versions: VERSIONS,
  });
  // The sets produce at least four verdicts, so that a difference would be noticed.
  expect(new Set(history.map(({ verdict }) => verdict)).size).toBeGreaterThanOrEqual(4);
});

test('a replay against changed rules reports the changes that a slow reference evaluator finds', async () => {
  // A replay omits the rest at its time limit; this test does not measure its speed.
  const call = bind(contract.PamRulesService, { replayRules: replayRules(service.deps, PATIENT_MS) });
  const admin = { ...service.tenant().user(['*']), tenantId };
  const current = sets.at(-1)!;
  // One rule is removed, one is inverted, and one is added before all others.
  const [gone, turned] = current.rules.filter(({ matchResourceId }) => !matchResourceId);
  const turn = {
    ...turned!,
    verdict: turned!.verdict === 'auto_deny' ? 'require_approval' : 'auto_deny',
  } as Rule;
  const front: Rule = {
    id: 'draft-1',
    name: 'in front',
    verdict: 'auto_deny',
    priority: 1,
    matchUser: 'acme\\Bob',
    authorIds: [admin.userId],
  };
  const start = clocks();
  const answer = await call.replayRules(admin, {
    rules: [draftOf(turn), draftOf(front, '')],
    removedRuleIds: [gone!.id],
    samples: 100,
  });
  tell(`replayed ${answer.total} decisions`, start);
  const rules = inForce({
    ...current,
    rules: [
      ...current.rules.filter(({ id }) => id !== gone!.id && id !== turn.id),
      { ...turn, authorIds: [...turn.authorIds, admin.userId], coSignerIds: [] },
      front,
    ],
  });
  const expected = { groups: new Map<string, number>(), changed: 0, otherRule: 0 };
  // Facts repeat, so the slow reference evaluator runs once for each distinct set of facts.
  const asked = new Map<Facts, ReturnType<typeof oracle>>();
  const opinions = new Map<string, readonly [string, string | null]>();
  for (const { requestId, facts, verdict: from, ruleId } of history) {
    const opinion = asked.get(facts) ?? oracle(rules, current.entries, facts);
    asked.set(facts, opinion);
    const [to, newRuleId] = opinion;
    if (from === to)
      expected.otherRule += newRuleId !== null && ruleId !== null && newRuleId !== ruleId ? 1 : 0;
    else {
      expected.changed++;
      expected.groups.set(`${from} ${to}`, (expected.groups.get(`${from} ${to}`) ?? 0) + 1);
      opinions.set(requestId, [to, newRuleId]);
    }
  }
  expect(expected.changed).toBeGreaterThan(1_000);
  expect(answer).toMatchObject({ success: true, ruleSetVersion: `${VERSIONS}`, truncated: false });
  expect([answer.total, answer.changed, answer.unchanged]).toEqual([
    DECISIONS,
    expected.changed,
    DECISIONS - expected.changed,
  ]);
  expect(new Map(answer.changes.map(({ from, to, count }) => [`${from} ${to}`, count]))).toEqual(
    expected.groups,
  );
  for (const { samples, count } of answer.changes) {
    expect(samples).toHaveLength(Math.min(100, count));
    for (const { id, to, newRuleId } of samples) expect([to, newRuleId || null]).toEqual(opinions.get(id));
  }
});

test('decisions without a version and altered decisions are reported', async () => {
  const { schema, scratch } = service;
  const newest = history.slice(-NEWEST);
  const denied = newest.find(({ verdict }) => verdict === 'denied')!;
  const lost = newest.find(({ verdict }) => verdict === 'pending')!;
  const [first] = await scratch.query<{ at: Date }>(
    `SELECT decided_at AS at FROM ${schema}.evaluations WHERE request_id = '${newest[0]!.requestId}'`,
  );
  await scratch.query(
    `UPDATE ${schema}.evaluations SET verdict = 'auto_approved' WHERE request_id = '${denied.requestId}'`,
  );
  await scratch.query(
    `UPDATE ${schema}.evaluations SET rule_set_version = NULL WHERE request_id = '${lost.requestId}'`,
  );
  const verified = await verifyHistory(service.deps.database, tenantId, { ...window(), from: first!.at });
  expect(verified).toMatchObject({
    total: NEWEST,
    reproduced: NEWEST - 2,
    undecided: 1,
    differing: [{ requestId: denied.requestId, was: 'auto_approved', is: 'denied' }],
  });
});

/** As a client sends it. */
function draftOf(rule: Rule, id = rule.id): contract.RuleDraft {
  const text = (value: string | null | undefined): string | undefined => value ?? undefined;
  return {
    id,
    name: rule.name,
    verdict: rule.verdict,
    priority: rule.priority,
    enabled: rule.enabled,
    siteId: text(rule.siteId),
    matchSigner: text(rule.matchSigner),
    matchHash: text(rule.matchHash),
    matchPathGlob: text(rule.matchPathGlob),
    matchParentImage: text(rule.matchParentImage),
    matchUser: text(rule.matchUser),
    matchAdGroup: text(rule.matchAdGroup),
    matchToolName: text(rule.matchToolName),
    matchRiskTier: rule.matchRiskTier ?? undefined,
    timeWindow: rule.timeWindow
      ? {
          start: rule.timeWindow.start,
          end: rule.timeWindow.end,
          days: [...(rule.timeWindow.days ?? [])],
          timezone: rule.timeWindow.timezone ?? '',
        }
      : undefined,
    approvalDurationMinutes: rule.approvalDurationMinutes ?? undefined,
    coSignerIds: [],
  };
}
