import type { Noun } from '../contract/noun.ts';
import { EXIT } from '../exit-codes.ts';

const configFlag = 'JSON: the addresses and ports that it may reach, and its defaults; no secrets';

export const noun: Noun = {
  about: 'the connectors that reach the systems',
  sample: 'pg',
  services: ['ModulesService'],
  elsewhere: ['UpdateModule'],
  views: {
    Module: {
      columns: [
        'ID  id; NAME  name; TYPE  type; ENABLED  enabled?yes:no; STATUS  status; TESTED  testedAt',
        'PROBLEM  statusProblem',
      ],
    },
    TestModuleResponse: {
      fields: [
        'result  ok?ok:failing; took  {latencyMs} ms; server  serverVersion; problem  problem; next  hint',
      ],
    },
  },
  verbs: {
    list: { call: 'ListModules', about: 'list modules' },
    show: { call: 'GetModule', about: 'show one, by name or id' },
    create: {
      call: 'CreateModule',
      about: 'set up a connector and what it may reach',
      example: 'modules create pg --type postgres --config module.json',
      words: 'name',
      flags: {
        type: '--type <type>!  which connector',
        config: `--config <file>!  ${configFlag}`,
      },
      asTable: true,
    },
    update: {
      call: 'PatchModule',
      about: 'change what is given',
      example: 'modules update pg --no-enabled',
      flags: { config: configFlag, enabled: 'whether it is used' },
    },
    delete: { call: 'DeleteModule', about: 'remove a module' },
    test: {
      call: 'TestModule',
      about: 'connect to a resource of the module and say what happened',
      example: 'modules test pg --resource db-prod',
      exit: ({ ok }: { ok: boolean }) => (ok ? EXIT.ok : EXIT.error),
    },
  },
};
