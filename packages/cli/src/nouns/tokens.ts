import type { Noun } from '../contract/noun.ts';

export const noun: Noun = {
  about: 'API tokens for machine identities',
  services: ['ApiTokensService'],
  views: {
    ApiToken: {
      columns: [
        'ID  id; NAME  name; STARTS WITH  prefix; USER  userId; UNTIL  revokedAt|expiresAt',
        'LAST USED  lastUsedAt; STATE  revokedAt?revoked:',
      ],
    },
  },
  verbs: {
    create: {
      call: 'CreateApiToken',
      example: 'tokens create ci --user deploy-bot --days 30 --output-file ./ci.token',
      flags: { expiresInDays: '--days <n>' },
      secret: 'token',
      told: 'token {apiToken.id}, valid until {apiToken.expiresAt}; it is shown once',
    },
    revoke: { call: 'RevokeApiToken' },
  },
};
