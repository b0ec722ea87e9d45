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

export const noun: Noun = {
  about: 'rules that decide elevations automatically',
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
    add: { call: 'CreateRule', example: 'rules add --file rule.json', file: fields },
    update: {
      call: 'UpdateRule',
      about: 'change the fields in the file; null removes a condition',
      example: 'rules update "signed installers" --file change.json',
      file: `${fields} rowVersion`,
    },
    delete: { call: 'DeleteRule', told: 'deleted', quiet: true },
    disable: {
      call: 'UpdateRule',
      about: 'disable a rule: it decides nothing until it is enabled',
      fixed: { enabled: false },
    },
    enable: { call: 'UpdateRule', about: 'enable a disabled rule', fixed: { enabled: true } },
    'co-sign': {
      call: 'CoSignRule',
      prepare: async ({ invoke, tell }, request) => {
        const { rule } = await invoke<{ rule: rules.PamRule }>('GetRule', request);
        tell(`${rule.name}: ${rule.verdict} when ${whenText(rule)}`);
        return { rowVersion: rule.rowVersion };
      },
    },
    preview: {
      call: 'PreviewRule',
      example: 'rules preview --file rule.json --days 90',
      file: 'JSON: conditions of a rule, flowType',
      readFile: readConditions,
      flags: { windowDays: '--days <n>' },
      print: printPreview,
    },
    replay: {
      call: 'ReplayRules',
      example: 'rules replay --file drafts.json --days 90',
      file: drafts,
      readFile: readDraft,
      flags: { windowDays: '--days <n>' },
      print: printReplay,
    },
    lint: {
      call: 'LintRules',
      about: 'check the current rules or drafts for faults; exit code 1 for errors',
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
