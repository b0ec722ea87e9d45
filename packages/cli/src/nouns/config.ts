import type { Noun } from '../contract/noun.ts';

const work = () => import('../flows/config.ts');

export const noun: Noun = {
  about: 'settings that take effect at run time',
  services: ['ConfigService'],
  views: {
    ConfigVersion: {
      columns: ['VERSION  version', 'CHANGED  changedAt', 'BY  changedBy', 'KEYS  keys', 'REASON  reason'],
    },
  },
  verbs: {
    get: {
      call: 'GetConfig',
      about: 'show all settings, one section or one setting',
      example: 'config get access.maximumGrantMinutes',
      words: 'key?',
      run: async (running) => (await work()).getConfig(running),
    },
    set: {
      call: 'UpdateConfig',
      about: 'change settings, given as KEY=VALUE; null restores the default',
      example: 'config set access.maximumGrantMinutes=480 --reason "shorter visits"',
      words: 'assignments...',
      bare: true,
      options: [
        '--file <file>  JSON document of settings, as printed by `config get -o json`',
        '--value-file <file>  read the value of one KEY, e.g. a secret, from this file',
        '--reason <text>  reason, for the history and the audit log',
      ],
      code: true,
      run: async (running) => (await work()).setConfig(running),
    },
    history: { call: 'ListConfigVersions' },
    diff: {
      call: 'GetConfigVersion',
      example: 'config diff 3',
      print: async (answer: never) => (await work()).printDiff(answer),
    },
  },
};
