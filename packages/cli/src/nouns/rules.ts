import type * as rules from '@claviger/contracts/workflow/v1/rules';
import type { Noun } from '../contract/noun.ts';
import {
  printFindings,
  printPreview,
  printReplay,
  readConditions,
  readDraft,
} from '../contract/rule-drafts.ts';
import { people, whenText } from '../contract/rule-view.ts';

const drafts = 'JSON: one rule, or rules, removedRuleIds, softwareEntries, accessPolicies, wholeSet';
const fields = 'JSON: name, verdict, priority, matchSigner, matchPathGlob, timeWindow …';
const days = '--days <n>  how far back; 30 when absent';
const named = 'rules {verb} "signed installers"';

export const noun: Noun = {
  about: 'rules that decide elevations before a person has to',
  sample: '"signed installers"',
  services: ['PamRulesService'],
  id: 'rule',
  views: {
    PamRule: {
      columns: [
        'PRIORITY  priority; NAME  name; VERDICT  verdict',
        ['WHEN', whenText],
        'STATE  enabled?:off; ID  id',
      ],
      fields: [
        'rule  id; name  name; priority  priority; state  enabled?on:off',
        ['when', whenText],
        'verdict  verdict; for  {approvalDurationMinutes}{approvalDurationMinutes? minutes:}',
        ['written by', ({ authors }: { authors: never[] }) => people(authors)],
        ['co-signed by', ({ coSigners }: { coSigners: never[] }) => people(coSigners)],
        'version  ruleSetVersion; changed  updatedAt',
      ],
    },
  },
  verbs: {
    list: {
      call: 'ListRules',
      about: 'list rules in the order in which they are asked',
      example: 'rules list --verdict auto_approve',
    },
    show: { call: 'GetRule', about: 'show one, by name or id' },
    add: { call: 'CreateRule', about: 'add a rule', example: 'rules add --file rule.json', file: fields },
    update: {
      call: 'UpdateRule',
      about: 'change what the file names; null takes a condition away',
      example: 'rules update "signed installers" --file change.json',
      file: `${fields} rowVersion`,
    },
    delete: {
      call: 'DeleteRule',
      about: 'remove a rule',
      example: named.replace('{verb}', 'delete'),
      told: 'deleted',
      quiet: true,
    },
    disable: {
      call: 'UpdateRule',
      about: 'let a rule rest: it decides nothing until it is enabled',
      example: named.replace('{verb}', 'disable'),
      fixed: { enabled: false },
    },
    enable: {
      call: 'UpdateRule',
      about: 'let a rule decide again',
      example: named.replace('{verb}', 'enable'),
      fixed: { enabled: true },
    },
    'co-sign': {
      call: 'CoSignRule',
      about: 'agree to a rule that another person wrote, as it is now',
      example: named.replace('{verb}', 'co-sign'),
      prepare: async ({ invoke, tell }, request) => {
        const { rule } = await invoke<{ rule: rules.PamRule }>('GetRule', request);
        tell(`${rule.name}: ${rule.verdict} when ${whenText(rule)}`);
        return { rowVersion: rule.rowVersion };
      },
    },
    preview: {
      call: 'PreviewRule',
      about: 'what a draft alone would have matched',
      example: 'rules preview --file rule.json --days 90',
      file: 'JSON: conditions of a rule, flowType',
      readFile: readConditions,
      flags: { windowDays: days },
      print: printPreview,
    },
    replay: {
      call: 'ReplayRules',
      about: 'decide the history again by a draft rule set, and name what would change',
      example: 'rules replay --file drafts.json --days 90',
      file: drafts,
      readFile: readDraft,
      flags: { windowDays: days },
      print: printReplay,
    },
    lint: {
      call: 'LintRules',
      about: 'what is wrong with the rules in force, or with drafts; exit code 1 for errors',
      example: 'rules lint --file drafts.json',
      file: drafts,
      fileIsOptional: true,
      readFile: readDraft,
      print: printFindings,
      exit: ({ findings }: { findings: { severity: string }[] }) =>
        findings.some(({ severity }) => severity === 'error') ? 1 : 0,
    },
  },
};
