// How long an exact replay of 100,000 decisions takes, and how one decision grows with the rules.
// Run: node packages/evaluator/bench/replay-bench.ts
import { performance } from 'node:perf_hooks';
import {
  compileRuleSet,
  evaluate,
  type Facts,
  type Rule,
  replay,
  type StoredDecision,
} from '@claviger/evaluator';

const HISTORY = 100_000;
const hash = (n: number): string => n.toString(16).padStart(64, '0');

/** A fifth each by hash, signer and user, folder, group and window, tool and tier. */
function ruleNo(n: number): Rule {
  const base = { id: `rule-${n}`, name: `rule ${n}`, priority: 1 + (n % 200), authorIds: [] };
  const approve = { ...base, verdict: 'auto_approve' as const };
  switch (n % 5) {
    case 0:
      return { ...approve, matchHash: hash(n) };
    case 1:
      return { ...approve, matchSigner: `Vendor ${n}`, matchUser: `acme\\user${n % 300}` };
    case 2:
      return { ...base, verdict: 'auto_deny', matchPathGlob: `C:\\Apps\\app${n}\\*\\setup*.exe` };
    case 3:
      return {
        ...base,
        verdict: 'require_approval',
        matchAdGroup: `Group ${n}`,
        timeWindow: { start: '22:00', end: '06:00', timezone: 'Europe/Berlin' },
      };
    default:
      return { ...approve, matchToolName: `tool-${n}`, matchRiskTier: n % 4 };
  }
}

function factsNo(n: number, rules: number): Facts {
  const about = (n * 7_919) % (rules * 2);
  const at = new Date(Date.UTC(2026, 10, 1) + (n % 43_200) * 60_000).toISOString();
  const who = {
    at,
    siteId: null,
    subjectUserId: null,
    username: `acme\\user${about % 300}`,
    groups: ['Everyone', `Group ${about}`],
  };
  if (n % 5 === 4)
    return {
      ...who,
      kind: 'tool',
      subjectUserId: 'u',
      toolName: `tool-${about}`,
      riskTier: about % 4,
      actionDigest: hash(n),
    };
  return {
    ...who,
    kind: 'elevation',
    flowType: 'uac_intercept',
    hash: hash(about),
    signer: `Vendor ${about}`,
    path: `C:\\Apps\\app${about}\\v1\\setup-${n % 9}.exe`,
    parentImage: 'C:\\Windows\\explorer.exe',
  };
}

for (const count of [10, 100, 1_000, 10_000]) {
  const compiling = performance.now();
  const set = compileRuleSet(
    `${count}`,
    Array.from({ length: count }, (_, n) => ruleNo(n)),
  );
  const compiledMs = performance.now() - compiling;
  const took: number[] = [];
  for (let n = 0; n < 20_000; n++) {
    const facts = factsNo(n, count);
    const start = performance.now();
    evaluate(set, facts);
    if (n >= 5_000) took.push((performance.now() - start) * 1_000);
  }
  took.sort((a, b) => a - b);
  const at = (share: number): string => took[Math.floor(took.length * share)]!.toFixed(1);
  console.log(
    `${count} rules: p50 ${at(0.5)} µs, p99 ${at(0.99)} µs a decision; compiled in ${compiledMs.toFixed(0)} ms`,
  );
}

const rules = Array.from({ length: 1_000 }, (_, n) => ruleNo(n));
const set = compileRuleSet('stored', rules);
const stored = Array.from({ length: HISTORY }, (_, n): StoredDecision => {
  const facts = factsNo(n, 1_000);
  const { verdict, decidingRule } = evaluate(set, facts);
  return { id: `${n}`, facts, verdict, decidingRuleId: decidingRule?.id ?? null };
});
const draft = compileRuleSet('draft', [
  ...rules.slice(100),
  {
    id: 'new',
    name: 'deny one vendor',
    verdict: 'auto_deny',
    priority: 0,
    matchSigner: 'Vendor 501',
    authorIds: [],
  },
]);
for (const [name, against] of [
  ['its own rules', set],
  ['a draft', draft],
] as const) {
  const start = performance.now();
  const before = process.cpuUsage();
  const { total, changed } = await replay(against, stored);
  const used = process.cpuUsage(before);
  const tookMs = (performance.now() - start).toFixed(0);
  const cpuMs = ((used.user + used.system) / 1_000).toFixed(0);
  console.log(
    `replay of ${total} decisions against ${name}: ${changed} changed, ${tookMs} ms, ${cpuMs} ms of processor time`,
  );
}
