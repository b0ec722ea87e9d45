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
    list: { call: 'ListApiTokens', about: 'list tokens, without their text' },
    create: {
      call: 'CreateApiToken',
      about: 'create a token; its text is shown once',
      example: 'tokens create ci --user deploy-bot --days 30 --output-file ./ci.token',
      words: 'name',
      flags: {
        userId: 'machine identity that the token acts as; you when unset',
        permissions: 'limit the token to this permission',
        expiresInDays: '--days <n>  validity; at most 90 days',
      },
      secret: 'token',
      told: 'token {apiToken.id}, valid until {apiToken.expiresAt}; it is shown once',
    },
    revoke: {
      call: 'RevokeApiToken',
      about: 'revoke a token at once',
      example: 'tokens revoke 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
      words: 'apiTokenId=token-id',
    },
  },
};
