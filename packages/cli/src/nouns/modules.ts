import { EXIT } from '@claviger/terminal/exit-codes';
import type { Noun } from '../contract/noun.ts';

const configFlag =
  'JSON: the addresses and ports that the connector may connect to, and its defaults; no secrets';

export const noun: Noun = {
  about: 'modules: configured connectors to targets',
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
    show: { call: 'GetModule', about: 'show a module, by name or id' },
    create: {
      call: 'CreateModule',
      about: 'configure a connector and the addresses it may connect to',
      example: 'modules create pg --type postgres --config module.json',
      words: 'name',
      flags: {
        type: '--type <type>!  type of the connector',
        config: `--config <file>!  ${configFlag}`,
      },
      asTable: true,
    },
    update: {
      call: 'PatchModule',
      about: 'change the given fields',
      example: 'modules update pg --no-enabled',
      flags: { config: configFlag, enabled: 'use the module' },
    },
    delete: { call: 'DeleteModule', about: 'delete a module' },
    test: {
      call: 'TestModule',
      about: 'connect to a resource of the module and show the result',
      example: 'modules test pg --resource db-prod',
      exit: ({ ok }: { ok: boolean }) => (ok ? EXIT.ok : EXIT.error),
    },
  },
};
