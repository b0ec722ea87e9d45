import type { Noun } from '../contract/noun.ts';

const work = () => import('../flows/config.ts');

export const noun: Noun = {
  about: 'settings that take effect while Claviger runs',
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
      about: 'change settings, as KEY=VALUE; null goes back to the default',
      example: 'config set access.maximumGrantMinutes=480 --reason "shorter visits"',
      words: 'assignments...',
      bare: true,
      options: [
        '--file <file>  a JSON document of settings, such as `config get -o json` prints',
        '--value-file <file>  the value of one KEY, e.g. a secret, is the content of the file',
        '--reason <text>  why, for the history and the audit log',
      ],
      code: true,
      run: async (running) => (await work()).setConfig(running),
    },
    history: {
      call: 'ListConfigVersions',
      about: 'list who changed what, when and why',
    },
    diff: {
      call: 'GetConfigVersion',
      about: 'show what one version changed',
      example: 'config diff 3',
      print: async (answer: never) => (await work()).printDiff(answer),
    },
  },
};
