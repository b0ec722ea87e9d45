import { EXIT } from '@claviger/terminal/exit-codes';
import type { Noun } from '../contract/noun.ts';

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
    create: {
      call: 'CreateModule',
      example: 'modules create pg --type postgres --config module.json',
      flags: { config: '--config <file>!' },
      asTable: true,
    },
    test: {
      call: 'TestModule',
      example: 'modules test pg --resource db-prod',
      exit: ({ ok }: { ok: boolean }) => (ok ? EXIT.ok : EXIT.error),
    },
  },
};
