import type { Noun, Running } from '../contract/noun.ts';

export const noun: Noun = {
  about: 'the license; everything works without one',
  alias: 'licence',
  services: ['LicenseService'],
  views: {
    License: {
      fields: [
        'state  state; owner  owner; license  id; installation  installationId; ends  expiresAt',
        'support until  supportUntil; limits  enforce?enforced:reported only',
      ],
    },
    LicenseLimit: {
      columns: [
        'OF  name',
        ['USED', ({ used }: { used?: number }) => used ?? '?'],
        ['LIMIT', ({ limit }: { limit?: number }) => limit ?? 'none'],
        '  exceeded?exceeded:',
      ],
    },
  },
  verbs: {
    show: {
      call: 'GetLicense',
      table: 'limits',
      after: '{hint}',
    },
    apply: {
      call: 'ApplyLicense',
      example: 'license apply license.txt',
      words: 'file',
      bare: true,
      prepare: async ({ words: [file] }: Running) => {
        const { readText } = await import('@claviger/terminal/text-input');
        return { license: (await readText(file)).trim() };
      },
      table: 'limits',
      after: '{hint}',
    },
  },
};
