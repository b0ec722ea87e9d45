import type { Verdict } from './evaluation.ts';
import type { Facts } from './facts.ts';
import type { Rule, SoftwareEntry } from './rule.ts';

/** The canonical form of each path in the tests; undefined: ambiguous. */
export const PATHS: Record<string, string | undefined> = {
  'C:\\Tools\\a.exe': 'C:\\TOOLS\\A.EXE',
  'c:/tools/sub/../B.exe. ': 'C:\\TOOLS\\B.EXE',
  'D:\\Users\\sarah\\Setup.msi': 'D:\\USERS\\SARAH\\SETUP.MSI',
  '\\\\srv\\share\\a.exe': '\\\\SRV\\SHARE\\A.EXE',
  'C:\\PROGRA~1\\a.exe': undefined,
  'C:\\Windows\\explorer.exe': 'C:\\WINDOWS\\EXPLORER.EXE',
};

type Three = 'yes' | 'no' | 'open';

/**
 * A reference implementation of the evaluator, written from the document: no index, order by repeated
 * minimum, patterns by trying every split. Knows only the values of the tests. Returns the verdict and the
 * rule.
 */
export function oracle(
  rules: readonly Rule[],
  entries: readonly SoftwareEntry[],
  facts: Facts,
): [Verdict, string | null] {
  if (facts.kind === 'elevation' && facts.flowType === 'uac_intercept') {
    for (const list of ['deny', 'allow'] as const) {
      const those = entries.filter((entry) => entry.list === list && entry.enabled !== false);
      for (const entry of those.sort((a, b) => (a.id < b.id ? -1 : 1))) {
        const fits = matches(entry, facts);
        if (fits === 'open') return ['pending', null];
        if (fits === 'yes')
          return list === 'deny' ? ['denied', entry.id] : approve(entry, facts, 'auto_approved');
      }
    }
  }
  const left = rules.filter((rule) => rule.enabled !== false && applies(rule, facts));
  while (left.length > 0) {
    let first = left[0]!;
    for (const rule of left) if (before(rule, first)) first = rule;
    left.splice(left.indexOf(first), 1);
    const fits = matches(first, facts);
    if (fits === 'open') return ['pending', null];
    if (fits === 'yes') return verdictOf(first, facts);
  }
  return ['pending', null];
}

function verdictOf(rule: Rule, facts: Facts): [Verdict, string | null] {
  if (rule.verdict === 'auto_deny') return ['denied', rule.id];
  if (rule.verdict === 'ignore') return ['ignored', rule.id];
  if (rule.verdict === 'require_approval' && facts.kind !== 'access') return ['pending', rule.id];
  const own = rule.verdict === 'auto_approve' ? approve(rule, facts, 'auto_approved') : undefined;
  if (own?.[0] === 'pending') return own;
  if (facts.kind === 'access') {
    const { durationMinutes, reason, subjectUserId } = facts;
    if (durationMinutes == null) return ['pending', rule.id];
    if (durationMinutes > rule.access!.maxDurationMinutes) return ['denied', rule.id];
    if (rule.access!.requiresReason && reason === undefined) return ['pending', rule.id];
    if (rule.access!.requiresReason && (reason ?? '').trim() === '') return ['denied', rule.id];
    if (subjectUserId == null) return ['pending', rule.id];
    for (const step of rule.access!.steps) {
      if (step.approverUserIds.length === 0 || step.approverRoles.length > 0) continue;
      if (step.approverUserIds.filter((id) => id !== subjectUserId).length < step.quorum)
        return ['denied', rule.id];
    }
    return [rule.verdict === 'auto_approve' ? 'auto_approved' : 'needs_approval', rule.id];
  }
  if (facts.kind === 'tool' && facts.actionDigest == null) return ['pending', rule.id];
  return own!;
}

function approve(
  rule: { id: string; authorIds: readonly string[]; coSignerIds?: readonly string[] },
  facts: Facts,
  verdict: Verdict,
): [Verdict, string] {
  const { subjectUserId: who, otherUserIds: others = [], deviceUserIds: users = [] } = facts;
  const gains = (id: string): boolean => id === who || others.includes(id) || (users ?? []).includes(id);
  const independent = (rule.coSignerIds ?? []).some((id) => !gains(id) && !rule.authorIds.includes(id));
  if (independent) return [verdict, rule.id];
  if (who === null && facts.kind === 'elevation') return ['pending', rule.id];
  if (rule.authorIds.length === 0) return [verdict, rule.id];
  const unknown = who == null || users === null;
  return unknown || rule.authorIds.some(gains) ? ['pending', rule.id] : [verdict, rule.id];
}

const RANK = ['auto_deny', 'require_approval', 'ignore', 'auto_approve'];

function before(a: Rule, b: Rule): boolean {
  const [x, y] = [a.priority ?? 100, b.priority ?? 100];
  if (x !== y) return x < y;
  if (a.verdict !== b.verdict) return RANK.indexOf(a.verdict) < RANK.indexOf(b.verdict);
  return a.id < b.id;
}

function applies(rule: Rule, facts: Facts): boolean {
  const tool = rule.matchToolName != null || rule.matchRiskTier != null;
  const executable = [rule.matchHash, rule.matchSigner, rule.matchPathGlob, rule.matchParentImage].some(
    (x) => x != null,
  );
  const access = rule.matchResourceId != null;
  if (facts.kind === 'access') return access;
  if (access) return false;
  if (facts.kind === 'tool') return tool || (!executable && rule.verdict !== 'ignore');
  return !tool;
}

function matches(rule: Partial<Rule>, facts: Facts): Three {
  const raw = facts as unknown as Record<string, unknown>;
  const program = facts.kind === 'elevation' && facts.flowType === 'uac_intercept';
  const answers: Three[] = [];
  const same = (want: unknown, have: unknown, nullIs: Three = 'no'): void => {
    if (want == null) return;
    if (have === undefined) answers.push('open');
    else if (have === null) answers.push(nullIs);
    else answers.push(String(want).toLowerCase() === String(have).toLowerCase() ? 'yes' : 'no');
  };
  const path = (have: unknown): string | undefined => (have == null ? undefined : PATHS[have as string]);
  if (program) {
    same(rule.matchHash, raw.hash, 'open');
    if (rule.matchSigner != null)
      answers.push(raw.signer === undefined ? 'open' : raw.signer === rule.matchSigner ? 'yes' : 'no');
    if (rule.matchPathGlob != null) {
      const have = path(raw.path);
      answers.push(have === undefined ? 'open' : like(rule.matchPathGlob.toUpperCase(), have) ? 'yes' : 'no');
    }
    if (rule.matchParentImage != null) {
      const [have, want] = [path(raw.parentImage), rule.matchParentImage.toUpperCase()];
      answers.push(have === undefined ? 'open' : have === want || have.endsWith(`\\${want}`) ? 'yes' : 'no');
    }
  } else if (
    [rule.matchHash, rule.matchSigner, rule.matchPathGlob, rule.matchParentImage].some((x) => x != null)
  )
    answers.push('no');
  same(rule.siteId, raw.siteId);
  same(rule.matchUser, raw.username);
  if (rule.matchAdGroup != null) {
    const groups = raw.groups as string[] | undefined;
    if (groups == null) answers.push('open');
    else
      answers.push(
        groups.some((group) => group.toLowerCase() === rule.matchAdGroup!.toLowerCase()) ? 'yes' : 'no',
      );
  }
  same(rule.matchToolName, raw.toolName, 'open');
  same(rule.matchRiskTier, raw.riskTier, 'open');
  if (rule.matchResourceId !== '*') same(rule.matchResourceId, raw.resourceId);
  if (rule.timeWindow) answers.push(during(rule.timeWindow, facts.at) ? 'yes' : 'no');
  return answers.includes('no') ? 'no' : answers.includes('open') ? 'open' : 'yes';
}

function during(window: NonNullable<Rule['timeWindow']>, at: string): boolean {
  const zone = window.timezone ?? 'UTC';
  const time = new Date(at).toLocaleTimeString('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
  });
  const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  const today = dayNames.indexOf(
    new Date(at).toLocaleDateString('en-GB', { timeZone: zone, weekday: 'long' }),
  );
  const days = window.days ?? [0, 1, 2, 3, 4, 5, 6];
  const { start, end } = window;
  if (start < end) return days.includes(today) && time >= start && time < end;
  return (
    (days.includes(today) && time >= start) || (days.includes(today === 0 ? 6 : today - 1) && time < end)
  );
}

function like(pattern: string, text: string): boolean {
  const [head, rest] = [pattern[0], pattern.slice(1)];
  if (head === undefined) return text === '';
  if (head === '*') {
    for (let taken = 0; taken <= text.length; taken++) if (like(rest, text.slice(taken))) return true;
    return false;
  }
  return text !== '' && (head === '?' || head === text[0]) && like(rest, text.slice(1));
}
