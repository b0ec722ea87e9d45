import type { Noun, Running } from '../contract/noun.ts';

export const noun: Noun = {
  about: 'the license in force; everything works without one',
  services: ['LicenceService'],
  views: {
    License: {
      fields: [
        'state  state; owner  owner; licence  id; installation  installationId; ends  expiresAt',
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
      about: 'show owner, limits and support',
      table: 'limits',
      after: '{hint}',
    },
    apply: {
      call: 'ApplyLicense',
      about: 'put a license in force, as the vendor sent it',
      example: 'licence apply licence.txt',
      words: 'file',
      bare: true,
      prepare: async ({ words: [file] }: Running) => {
        const { readText } = await import('../io/text-input.ts');
        return { license: (await readText(file)).trim() };
      },
      table: 'limits',
      after: '{hint}',
    },
  },
};
