import * as rules from '@claviger/contracts/workflow/v1/rules';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { isId } from './find-by-name.ts';
import { readJsonFile } from './json-file.ts';
import { checkedRequest, readRequestFile } from './message-file.ts';
import { type Listed, listLimited } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, tableText, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface RuleListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly verdict?: string;
}
export interface RuleFileOptions extends ConnectionOptions {
  /** File with JSON. */
  readonly file: string;
}
export interface TrialOptions extends RuleFileOptions {
  readonly days?: number;
}
export interface LintOptions extends ConnectionOptions {
  readonly file?: string;
}

/** What a whole rule has beside its conditions: the same file serves to try a rule and to add it. */
const BESIDE_CONDITIONS = ['name', 'verdict', 'priority', 'enabled', 'approvalDurationMinutes'];

type Rule = rules.PamRule;
const service = rules.PamRulesService;

const columns: readonly Column<Rule>[] = [
  ['PRIORITY', (row) => row.priority],
  ['NAME', (row) => row.name],
  ['VERDICT', (row) => row.verdict],
  ['WHEN', whenText],
  ['STATE', (row) => (row.enabled ? '' : 'off')],
  ['ID', (row) => row.id],
];

export function listRules(options: RuleListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', verdict = '' } = options;
    showList(await read(api, { search, verdict }, options), columns, format);
  });
}

export function showRule(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { rule } = await api.call(service.getRule, { id: await ruleId(api, name) });
    show(rule!, format);
  });
}

export function addRule(options: RuleFileOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { rule } = await api.call(
      service.createRule,
      await readRequestFile(options.file, service.createRule),
    );
    show(rule!, format);
  });
}

/** Changes what the file names; null takes a condition away. */
export function updateRule(name: string, options: RuleFileOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const change = await readRequestFile(options.file, service.updateRule);
    const { rule } = await api.call(service.updateRule, { ...change, id: await ruleId(api, name) });
    show(rule!, format);
  });
}

/** A change like any other: it adds its author and takes signatures away. */
export function switchRule(name: string, enabled: boolean, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { rule } = await api.call(service.updateRule, { id: await ruleId(api, name), enabled });
    show(rule!, format);
  });
}

export function deleteRule(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteRule, { id: await ruleId(api, name) });
    tell('deleted');
  });
}

/** Bound to the rule as it is shown here: refused when it has changed since. */
export function coSignRule(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const seen = (await api.call(service.getRule, { id: await ruleId(api, name) })).rule!;
    tell(escapeText(`${seen.name}: ${seen.verdict} when ${whenText(seen)}`));
    const { rule } = await api.call(service.coSignRule, { id: seen.id, rowVersion: seen.rowVersion });
    show(rule!, format);
  });
}

export function previewRule(options: TrialOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const draft = await readRequestFile(options.file, service.previewRule, BESIDE_CONDITIONS);
    const preview = await api.call(service.previewRule, { ...draft, ...windowOf(options) });
    if (format === 'json') return showJson(preview);
    const { totalMatched, totalScanned, windowDays, truncated, sample } = preview;
    const more = truncated ? ', and there are more than were looked at' : '';
    say(`${totalMatched} of ${totalScanned} requests of the last ${windowDays} days match${more}`);
    if (sample.length > 0) say(tableText(previewColumns, sample));
  });
}

const previewColumns: readonly Column<rules.PreviewedRequest>[] = [
  ['ID', (row) => row.id],
  ['WHEN', (row) => timeText(row.requestedAt)],
  ['KIND', (row) => row.flowType],
  ['STATUS', (row) => row.status],
];

export function replayRules(options: TrialOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const draft = await readDraft(options.file, service.replayRules);
    const replay = await api.call(service.replayRules, { ...draft, ...windowOf(options) });
    if (format === 'json') return showJson(replay);
    const { total, unchanged, changed, otherRule, unresolved, ruleSetVersion, truncated, changes } = replay;
    say(
      fieldsText([
        ['decisions', `${total}${truncated ? ', and there are more' : ''}`],
        ['as before', unchanged],
        ['as before, by another rule', otherRule],
        ['changed', changed],
        ['not to be resolved', unresolved],
        ['against version', ruleSetVersion],
      ]),
    );
    for (const { from, to, count, samples } of changes) {
      say(`\n${count} from ${escapeText(from)} to ${escapeText(to)}`);
      say(tableText(changeColumns, samples));
    }
  });
}

const changeColumns: readonly Column<rules.ReplayedChange>[] = [
  ['ID', (row) => row.id],
  ['WHEN', (row) => timeText(row.decidedAt)],
  ['WHAT', (row) => row.label],
  ['NOW BY', (row) => row.newRuleName || row.because],
];

/** A draft rule set; a file with one rule is taken for a set that it is added to. */
async function readDraft(
  file: string,
  operation: { readonly path: string },
): Promise<Record<string, unknown>> {
  const json = await readJsonFile(file);
  return Object.hasOwn(json, 'verdict')
    ? checkedRequest(file, { rules: [json] }, operation)
    : checkedRequest(file, json, operation);
}

/** Exit code 1 when there is something that is an error, so that a script can stop there. */
export function lintRules(options: LintOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const draft = options.file === undefined ? {} : await readDraft(options.file, service.lintRules);
    const answer = await api.call(service.lintRules, draft);
    const code = answer.findings.some(({ severity }) => severity === 'error') ? EXIT.error : EXIT.ok;
    if (format === 'json') showJson(answer);
    else if (answer.findings.length === 0) tell('nothing is wrong');
    else for (const finding of answer.findings) sayFinding(finding);
    return code;
  });
}

function sayFinding(finding: rules.LintFinding): void {
  const { severity, ruleName, requestId, message, hint, approvers } = finding;
  const about = ruleName || (requestId && `request ${requestId}`);
  say(escapeText(`${severity}: ${about === '' ? '' : `${about}: `}${message}`));
  if (hint !== '') say(`  ${escapeText(hint)}`);
  for (const { name, availableAt } of approvers)
    say(`  ${escapeText(name)} could${availableAt === undefined ? '' : `, from ${timeText(availableAt)}`}`);
}

function windowOf({ days }: TrialOptions): { windowDays?: number } {
  return days === undefined ? {} : { windowDays: days };
}

function read(
  api: ApiClient,
  filter: { readonly search?: string; readonly verdict?: string },
  options: ListOptions,
): Promise<Listed<Rule>> {
  return listLimited(async (page) => {
    const answer = await api.call(service.listRules, { ...filter, ...page });
    return { items: answer.rules, total: answer.pagination?.total ?? 0, nextCursor: answer.nextCursor };
  }, options);
}

/** The id of a rule given by name or id. */
async function ruleId(api: ApiClient, text: string): Promise<string> {
  if (isId(text)) return text;
  const found = (await read(api, { search: text }, { all: true })).items.filter(({ name }) => name === text);
  const [first, second] = found;
  if (first === undefined)
    throw new CommandError(`there is no rule "${text}": \`claviger rules list\` shows them`, EXIT.notFound);
  if (second === undefined) return first.id;
  const ids = found.map(({ id }) => id).join(', ');
  throw new CommandError(`several rules are called "${text}": name one by its id (${ids})`, EXIT.usage);
}

/** The conditions of a rule in one line. */
function whenText(row: Rule): string {
  const { timeWindow: window } = row;
  const conditions: readonly (readonly [string, string | number | undefined])[] = [
    ['signer', row.matchSigner],
    ['hash', row.matchHash?.slice(0, 12)],
    ['path', row.matchPathGlob],
    ['parent', row.matchParentImage],
    ['user', row.matchUser],
    ['group', row.matchAdGroup],
    ['tool', row.matchToolName],
    ['tier', row.matchRiskTier],
    ['site', row.siteId],
    ['from', window && `${window.start} to ${window.end} ${window.timezone || 'UTC'}`],
  ];
  return conditions.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])).join(', ');
}

function show(rule: Rule, format: OutputFormat): void {
  if (format === 'json') return showJson(rule);
  const people = (list: readonly rules.RulePerson[]) => list.map(({ id, name }) => name || id).join(', ');
  say(
    fieldsText([
      ['rule', rule.id],
      ['name', rule.name],
      ['priority', rule.priority],
      ['state', rule.enabled ? 'on' : 'off'],
      ['when', whenText(rule)],
      ['verdict', rule.verdict],
      ['for', rule.approvalDurationMinutes === undefined ? '' : `${rule.approvalDurationMinutes} minutes`],
      ['written by', people(rule.authors)],
      ['co-signed by', people(rule.coSigners)],
      ['version', rule.ruleSetVersion],
      ['changed', timeText(rule.updatedAt)],
    ]),
  );
}
