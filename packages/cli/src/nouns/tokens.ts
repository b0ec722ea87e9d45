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
    list: { call: 'ListApiTokens', about: 'list tokens, never their text' },
    create: {
      call: 'CreateApiToken',
      about: 'make a token; its text is shown once',
      example: 'tokens create ci --user deploy-bot --days 30 --output-file ./ci.token',
      words: 'name',
      flags: {
        userId: 'machine identity that it acts as; yourself when not given',
        permissions: 'narrow it to this',
        expiresInDays: '--days <n>  how long it is valid; 90 at most',
      },
      secret: 'token',
      told: 'token {apiToken.id} until {apiToken.expiresAt}; it is shown once',
    },
    revoke: {
      call: 'RevokeApiToken',
      about: 'end a token at once',
      example: 'tokens revoke 0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
      words: 'apiTokenId=token-id',
    },
  },
};
